import { runFace } from './face.ts';
import { kubeletUsage, parseKubeletFlags } from './kubelet/flags.ts';
import { runKubelet } from './kubelet/run-kubelet.ts';

/** `strake kubelet ARGV…`: runs pods until a signal; resolves with the exit status. */
export const main = async (argv: readonly string[]): Promise<number> =>
  await runFace({ name: 'kubelet', parse: parseKubeletFlags, usage: kubeletUsage, run: runKubelet }, argv);
