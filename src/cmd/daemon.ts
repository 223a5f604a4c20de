import { createLineLogger, errorMessage } from '../base/index.ts';
import { strakeVersion } from '../cli/version-number.ts';
import { composeEngine } from './daemon/compose.ts';
import { type DaemonFlags, daemonUsage, parseDaemonFlags } from './daemon/flags.ts';
import { runDaemon } from './daemon/run-daemon.ts';
import { writeLogLine } from './daemon/write-log-line.ts';

/** `strake daemon ARGV…`: serves the Engine API until a signal; resolves with the exit status. */
export async function main(argv: readonly string[]): Promise<number> {
  let flags: DaemonFlags;
  try {
    flags = parseDaemonFlags(argv);
  } catch (error) {
    process.stderr.write(`strake daemon: ${errorMessage(error)}\nSee 'strake daemon --help'.\n`);
    return 125;
  }
  if (flags.help) {
    process.stdout.write(daemonUsage());
    return 0;
  }
  const log = createLineLogger({ level: flags.logLevel, format: flags.logFormat, write: writeLogLine });
  return await runDaemon(flags, log, async (...args) => await composeEngine(strakeVersion, ...args));
}
