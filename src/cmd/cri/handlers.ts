import type { RuntimeHandler } from '../../cri/index.ts';
import type { CriSettings } from './flags.ts';

const ours = 'io.containerd.strake.v2';
const theirs = 'io.containerd.runc.v2';

/**
 * What stands behind the runtime classes: ours, under its own name and for pods that name none, unless another is the default; binaries as they are
 * configured. Over a containerd: its runc, as every containerd has it.
 */
export function runtimeHandlers({
  runtimes,
  defaultRuntime,
  alwaysPause,
  state,
  containerd,
}: Pick<CriSettings, 'runtimes' | 'defaultRuntime' | 'alwaysPause' | 'state' | 'containerd'>): readonly RuntimeHandler[] {
  if (containerd !== undefined) return ['', 'runc'].map((name) => ({ name, runtimeName: theirs, needsPause: true }));
  const others = Object.entries(runtimes).map(([name, { path, root }]) => ({
    name,
    runtimeName: theirs,
    binary: { path, root: root ?? `${state}/runtimes/${name}` },
    // A runtime with a kernel of its own starts that with the pod's first container.
    needsPause: true,
  }));
  const own = { name: 'strake', runtimeName: ours, needsPause: alwaysPause };
  return [{ ...(others.find(({ name }) => name === defaultRuntime) ?? own), name: '' }, own, ...others.filter(({ name }) => name !== own.name)];
}
