import { criContainerdUsage, parseCriContainerdFlags } from './cri/flags.ts';
import { runCri } from './cri/run-cri.ts';
import { runFace } from './face.ts';

/** `strake cri-containerd ARGV…`: the container runtime interface over a containerd, ours or the real one. */
export const main = async (argv: readonly string[]): Promise<number> =>
  await runFace({ name: 'cri-containerd', parse: parseCriContainerdFlags, usage: criContainerdUsage, run: runCri }, argv);
