import type { RuntimeHandler } from '../../cri/index.ts';
import type { CriSettings } from './flags.ts';

const ours = 'io.containerd.strake.v2';
const theirs = 'io.containerd.runc.v2';

/** Ours for pods that name no runtime class, and under its own name; binaries as the flags name them. */
export function runtimeHandlers({ runtimes, alwaysPause, state }: Pick<CriSettings, 'runtimes' | 'alwaysPause' | 'state'>): readonly RuntimeHandler[] {
  return [
    ...['', 'strake'].map((name) => ({ name, runtimeName: ours, needsPause: alwaysPause })),
    ...Object.entries(runtimes).map(([name, path]) => ({
      name,
      runtimeName: theirs,
      binary: { path, root: `${state}/runtimes/${name}` },
      // A runtime with a kernel of its own starts that with the pod's first container.
      needsPause: true,
    })),
  ];
}
