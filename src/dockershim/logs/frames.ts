/** The engine's log stream: a frame is an entry, `TIME TEXT`; one without a newline goes on in the next. A terminal's has no frames, only lines. */
import { refuse } from '../refuse.ts';

const headerBytes = 8;
/** Entries of the engine have 16 KiB at most. */
const maxEntryBytes = 1 << 20;
const newline = 10;

export interface LogEntry {
  readonly stream: 'stdout' | 'stderr';
  /** RFC 3339 with nanoseconds. */
  readonly time: string;
  /** Without its newline. */
  readonly text: Buffer;
  /** The line goes on in the next entry of its stream. */
  readonly isPartial: boolean;
}

export async function* logEntries(source: AsyncIterable<Uint8Array>, terminal: boolean): AsyncGenerator<LogEntry> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of source) {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const found = terminal ? nextLine(rest) : nextFrame(rest);
      if (found === undefined) break;
      rest = rest.subarray(found.bytes);
      yield entryOf(found.stream, found.content);
    }
    if (rest.length > maxEntryBytes) throw refuse('OutOfRange', `the engine sent a log entry of more than ${maxEntryBytes} bytes`);
  }
}

interface Found {
  readonly stream: 'stdout' | 'stderr';
  readonly content: Buffer;
  readonly bytes: number;
}

function nextFrame(rest: Buffer): Found | undefined {
  if (rest.length < headerBytes) return undefined;
  const bytes = headerBytes + rest.readUInt32BE(4);
  if (rest.length < bytes) return undefined;
  return { stream: rest[0] === 2 ? 'stderr' : 'stdout', content: rest.subarray(headerBytes, bytes), bytes };
}

function nextLine(rest: Buffer): Found | undefined {
  const end = rest.indexOf(newline);
  return end < 0 ? undefined : { stream: 'stdout', content: rest.subarray(0, end + 1), bytes: end + 1 };
}

function entryOf(stream: 'stdout' | 'stderr', content: Buffer): LogEntry {
  const space = content.indexOf(' ');
  const isPartial = content.at(-1) !== newline;
  return { stream, time: content.subarray(0, space).toString('latin1'), text: content.subarray(space + 1, isPartial ? content.length : -1), isPartial };
}

/** As the kubelet reads it. */
export function criLine({ stream, time, text, isPartial }: LogEntry): Buffer {
  return Buffer.concat([Buffer.from(`${time} ${stream} ${isPartial ? 'P' : 'F'} `), text, Buffer.from('\n')]);
}
