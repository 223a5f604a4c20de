import { criUsage, parseCriFlags } from './cri/flags.ts';
import { runCri } from './cri/run-cri.ts';
import { runFace } from './face.ts';

/** `strake cri ARGV…`: the container runtime interface, all in this process. */
export const main = async (argv: readonly string[]): Promise<number> =>
  await runFace({ name: 'cri', parse: parseCriFlags, usage: criUsage, run: runCri }, argv);
