import { containerdUsage, parseContainerdFlags } from './containerd/flags.ts';
import { runContainerd } from './containerd/run-containerd.ts';
import { runFace } from './face.ts';

/** `strake containerd ARGV…`: serves containerd's API until a signal; resolves with the exit status. */
export const main = async (argv: readonly string[]): Promise<number> =>
  await runFace({ name: 'containerd', parse: parseContainerdFlags, usage: containerdUsage, run: runContainerd }, argv);
