import type { RuntimeHandler } from '../../cri/index.ts';
import { type CriSettings, handlerNames, type OtherRuntime } from './flags.ts';

const ours = 'io.containerd.strake.v2';
const theirs = 'io.containerd.runc.v2';

/**
 * What stands behind the runtime classes: ours, or over a containerd its runc, as every containerd has it, under its own name and for pods that name none,
 * unless another is the default; binaries and shims as they are configured, also in the place of what is always there.
 */
export function runtimeHandlers({
  runtimes,
  defaultRuntime,
  alwaysPause,
  state,
  containerd,
}: Pick<CriSettings, 'runtimes' | 'defaultRuntime' | 'alwaysPause' | 'state' | 'containerd'>): readonly RuntimeHandler[] {
  const others = Object.entries(runtimes).map(([name, runtime]) => ({
    name,
    // A runtime with a kernel of its own starts that with the pod's first container, and a shim is the pod's from then on.
    needsPause: true,
    ...(isShim(runtime)
      ? { runtimeName: runtime.shim, isShim: true }
      : { runtimeName: theirs, binary: { path: runtime.path, root: runtime.root ?? `${state}/runtimes/${name}` } }),
  }));
  const named = (wanted: string | undefined) => others.find(({ name }) => name === wanted);
  const builtIn =
    containerd === undefined
      ? { name: handlerNames.own, runtimeName: ours, needsPause: alwaysPause }
      : { name: handlerNames.containerd, runtimeName: theirs, isShim: true, needsPause: true };
  const own = named(builtIn.name) ?? builtIn;
  return [{ ...(named(defaultRuntime) ?? own), name: '' }, own, ...others.filter((other) => other !== own)];
}

export function isShim(runtime: OtherRuntime): runtime is Extract<OtherRuntime, { readonly shim: string }> {
  return 'shim' in runtime;
}
