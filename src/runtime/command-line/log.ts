import fs from 'node:fs';
import { StrakeError } from '../../base/index.ts';
import { errorText } from './error-text.ts';

/** From the least to the most that is written. */
export const logLevels = ['error', 'warning', 'debug'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface LogOptions {
  /** absent: stderr */
  readonly file?: string | undefined;
  readonly format: 'text' | 'json';
  readonly level: LogLevel;
}

export interface CommandLog {
  /** errors go to a file, not to stderr */
  readonly toFile: boolean;
  error(message: string): void;
  warn(message: string): void;
  /** whether debug lines are wanted: who asks makes none in vain */
  readonly debugging: boolean;
  debug(message: string): void;
}

/**
 * runc's log, which containerd and CRI-O parse: an object a line ({"level","msg","time"}), or logrus' text. The file is made at once, as runc does (mode
 * 0644, appended to).
 */
export function openLog({ file, format, level }: LogOptions): CommandLog {
  const descriptor = file === undefined ? 2 : openFile(file);
  const write = (name: LogLevel, message: string) => {
    if (logLevels.indexOf(name) > logLevels.indexOf(level)) return;
    const time = `${new Date().toISOString().slice(0, 19)}Z`;
    fs.writeSync(descriptor, format === 'json' ? `${JSON.stringify({ level: name, msg: message, time })}\n` : textLine(name, message, time));
  };
  return {
    toFile: file !== undefined,
    error: (message) => write('error', message),
    warn: (message) => write('warning', message),
    debugging: level === 'debug',
    debug: (message) => write('debug', message),
  };
}

/** logrus quotes a value that holds more than letters, digits and -._/@^+. */
export function textLine(level: string, message: string, time: string): string {
  const text = /^[\w\-./@^+]+$/.test(message) ? message : JSON.stringify(message);
  return `time=${JSON.stringify(time)} level=${level} msg=${text}\n`;
}

function openFile(file: string): number {
  try {
    return fs.openSync(file, 'as', 0o644);
  } catch (cause) {
    throw new StrakeError('InvalidArgument', errorText(cause), { cause, fields: { layer: 'runtime', file } });
  }
}
