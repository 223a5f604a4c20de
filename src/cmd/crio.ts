import { runCri } from './cri/run-cri.ts';
import { crioUsage, parseCrioFlags } from './crio/flags.ts';
import { runFace } from './face.ts';

/** `strake crio ARGV…`: the container runtime interface over an OCI runtime's command, configured by crio.conf. */
export const main = async (argv: readonly string[]): Promise<number> =>
  await runFace({ name: 'crio', parse: parseCrioFlags, usage: crioUsage, run: runCri }, argv);
