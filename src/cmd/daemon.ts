import { strakeVersion } from '../cli/version-number.ts';
import { composeEngine } from './daemon/compose.ts';
import { daemonUsage, parseDaemonFlags } from './daemon/flags.ts';
import { runDaemon } from './daemon/run-daemon.ts';
import { runFace } from './face.ts';

/** `strake daemon ARGV…`: serves the Engine API until a signal; resolves with the exit status. */
export const main = async (argv: readonly string[]): Promise<number> =>
  await runFace(
    {
      name: 'daemon',
      parse: parseDaemonFlags,
      usage: daemonUsage,
      run: async (flags, log) => await runDaemon(flags, log, async (...args) => await composeEngine(strakeVersion, ...args)),
    },
    argv,
  );
