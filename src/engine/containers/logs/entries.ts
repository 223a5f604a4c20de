/** Lines of a json-file log (moby daemon/logger/jsonfilelog). */

export interface LogEntry {
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
  /** RFC 3339 */
  readonly time: string;
  readonly timeNs: bigint;
}

/** Undefined for a line that is not whole: written when the disk was full, or cut off by a crash. */
export function parseLogLine(line: string): LogEntry | undefined {
  let record: { readonly log?: unknown; readonly stream?: unknown; readonly time?: unknown };
  try {
    record = JSON.parse(line);
  } catch {
    return undefined;
  }
  const { log, stream, time } = record;
  if (typeof log !== 'string' || typeof time !== 'string') return undefined;
  const timeNs = parseTimeNs(time);
  return timeNs === undefined ? undefined : { stream: stream === 'stderr' ? 'stderr' : 'stdout', text: log, time, timeNs };
}

/** RFC 3339 with up to nine digits as ns since the epoch. */
export function parseTimeNs(time: string): bigint | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(time);
  const ms = match === null ? Number.NaN : Date.parse(`${match[1]}${match[3]}`);
  return Number.isNaN(ms) ? undefined : BigInt(ms) * 1_000_000n + BigInt((match?.[2] ?? '').padEnd(9, '0'));
}

/** Docker's fixed form: nine digits always. */
export function fixedNano({ time }: LogEntry): string {
  const [, head = '', fraction = '', zone = 'Z'] = /^([^.Z+]+)(?:\.(\d+))?(.*)$/.exec(time) ?? [];
  return `${head}.${fraction.padEnd(9, '0')}${zone}`;
}
