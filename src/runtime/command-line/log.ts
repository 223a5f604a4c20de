import { appendFileSync, writeSync } from 'node:fs';

export interface CommandLog {
  /** errors go to a file, not to stderr */
  readonly toFile: boolean;
  error(message: string): void;
  warn(message: string): void;
  /** said with `--debug` only */
  debug(message: string): void;
}

/** runc's log: a JSON object a line ({"level","msg","time"}, which containerd and cri-o parse) or logrus text; to a file or stderr. */
export function openLog(file: string | undefined, format: string, debug: boolean): CommandLog {
  const write = (level: string, message: string) => {
    const time = `${new Date().toISOString().slice(0, 19)}Z`;
    const line =
      format === 'json' ? JSON.stringify({ level, msg: message, time }) : `time=${JSON.stringify(time)} level=${level} msg=${JSON.stringify(message)}`;
    if (file === undefined) writeSync(2, `${line}\n`);
    else appendFileSync(file, `${line}\n`, { mode: 0o644 });
  };
  return {
    toFile: file !== undefined,
    error: (message) => write('error', message),
    warn: (message) => write('warning', message),
    debug: (message) => {
      if (debug) write('debug', message);
    },
  };
}
