import { UsageError } from '../usage-error.ts';
import { parseDuration } from './units.ts';

/** A time on the command line, as seconds since the epoch with a fraction: RFC 3339, a date, Unix seconds, or a duration ago. */
export function timestampFlag(text: string | undefined, nowMs = Date.now()): string | undefined {
  if (text === undefined || text === '' || /^\d+(\.\d{1,9})?$/.test(text)) return text;
  const duration = parseDuration(text);
  const ms = duration === undefined ? Date.parse(text) : nowMs - duration;
  if (Number.isNaN(ms)) throw new UsageError(`invalid value for time: ${text}: failed to parse value as time or duration: "${text}"`);
  return (ms / 1000).toFixed(9);
}
