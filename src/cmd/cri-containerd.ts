import { runFace } from './cri/face.ts';
import { criContainerdUsage, parseCriContainerdFlags } from './cri/flags.ts';

/** `strake cri-containerd ARGV…`: the container runtime interface over a containerd, ours or the real one. */
export const main = async (argv: readonly string[]): Promise<number> =>
  await runFace({ name: 'cri-containerd', parse: parseCriContainerdFlags, usage: criContainerdUsage }, argv);
