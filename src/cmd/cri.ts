import { createLineLogger, errorMessage } from '../base/index.ts';
import { type CriSettings, criUsage, parseCriFlags } from './cri/flags.ts';
import { runCri } from './cri/run-cri.ts';
import { writeLogLine } from './daemon/write-log-line.ts';

/** `strake cri ARGV…`: serves the container runtime interface until a signal; resolves with the exit status. */
export async function main(argv: readonly string[]): Promise<number> {
  let settings: CriSettings;
  try {
    settings = parseCriFlags(argv);
  } catch (error) {
    process.stderr.write(`strake cri: ${errorMessage(error)}\nSee 'strake cri --help'.\n`);
    return 125;
  }
  if (settings.help) {
    process.stdout.write(criUsage());
    return 0;
  }
  return await runCri(settings, createLineLogger({ level: settings.logLevel, format: settings.logFormat, write: writeLogLine }));
}
