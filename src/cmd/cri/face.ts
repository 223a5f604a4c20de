import { createLineLogger, errorMessage } from '../../base/index.ts';
import { writeLogLine } from '../daemon/write-log-line.ts';
import type { CriSettings } from './flags.ts';
import { runCri } from './run-cri.ts';

export interface CriFace {
  /** the subcommand */
  readonly name: string;
  parse(argv: readonly string[]): CriSettings;
  usage(): string;
}

/** Serves the container runtime interface by one of its faces until a signal; resolves with the exit status. */
export async function runFace({ name, parse, usage }: CriFace, argv: readonly string[]): Promise<number> {
  let settings: CriSettings;
  try {
    settings = parse(argv);
  } catch (error) {
    process.stderr.write(`strake ${name}: ${errorMessage(error)}\nSee 'strake ${name} --help'.\n`);
    return 125;
  }
  if (settings.help) {
    process.stdout.write(usage());
    return 0;
  }
  const log = createLineLogger({ level: settings.logLevel, format: settings.logFormat, write: writeLogLine });
  for (const key of settings.ignored) log.warn('a key of the configuration means nothing here', { key });
  return await runCri(settings, log);
}
