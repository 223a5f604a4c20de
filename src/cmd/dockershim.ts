import { dockershimUsage, parseDockershimFlags } from './dockershim/flags.ts';
import { runDockershim } from './dockershim/run-dockershim.ts';
import { runFace } from './face.ts';

/** `strake dockershim ARGV…`: serves the container runtime interface over an engine until a signal; resolves with the exit status. */
export const main = async (argv: readonly string[]): Promise<number> =>
  await runFace({ name: 'dockershim', parse: parseDockershimFlags, usage: dockershimUsage, run: runDockershim }, argv);
