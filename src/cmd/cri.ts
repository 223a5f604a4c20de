import { runFace } from './cri/face.ts';
import { criUsage, parseCriFlags } from './cri/flags.ts';

/** `strake cri ARGV…`: the container runtime interface, all in this process. */
export const main = async (argv: readonly string[]): Promise<number> => await runFace({ name: 'cri', parse: parseCriFlags, usage: criUsage }, argv);
