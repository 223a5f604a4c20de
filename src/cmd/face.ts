import { createLineLogger, errorMessage, type Logger } from '../base/index.ts';
import { writeLogLine } from './daemon/write-log-line.ts';
import type { LogSettings } from './flag-values.ts';

/** What the flags of every face say. */
export interface FaceSettings extends Pick<LogSettings, 'logLevel' | 'logFormat'> {
  readonly help: boolean;
}

/** A subcommand that serves until a signal. */
export interface Face<T extends FaceSettings> {
  /** the subcommand */
  readonly name: string;
  parse(argv: readonly string[]): T;
  usage(): string;
  /** Answers the exit status. */
  run(settings: T, log: Logger): Promise<number>;
}

/** Reads the flags and runs what they ask for; resolves with the exit status, 125 for flags that cannot be read. */
export async function runFace<T extends FaceSettings>({ name, parse, usage, run }: Face<T>, argv: readonly string[]): Promise<number> {
  let settings: T;
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
  return await run(settings, createLineLogger({ level: settings.logLevel, format: settings.logFormat, write: writeLogLine }));
}
