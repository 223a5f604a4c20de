import { createLineLogger, errorMessage } from '../base/index.ts';
import { writeLogLine } from './daemon/write-log-line.ts';
import { type DockershimSettings, dockershimUsage, parseDockershimFlags } from './dockershim/flags.ts';
import { runDockershim } from './dockershim/run-dockershim.ts';

/** `strake dockershim ARGV…`: serves the container runtime interface over an engine until a signal; resolves with the exit status. */
export async function main(argv: readonly string[]): Promise<number> {
  let settings: DockershimSettings;
  try {
    settings = parseDockershimFlags(argv);
  } catch (error) {
    process.stderr.write(`strake dockershim: ${errorMessage(error)}\nSee 'strake dockershim --help'.\n`);
    return 125;
  }
  if (settings.help) {
    process.stdout.write(dockershimUsage());
    return 0;
  }
  return await runDockershim(settings, createLineLogger({ level: settings.logLevel, format: settings.logFormat, write: writeLogLine }));
}
