import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { V1Container } from '../kubernetes.ts';
import type { ContainerRecord } from '../worker/observe.ts';

/** kubernetes.io, "Customizing the termination message". */
const maxMessageBytes = 4096;
const maxLogBytes = 2048;
const maxLogLines = 80;
const oNoFollow = 0o400000;
const oNonBlock = 0o4000;

/** What a container that ended left for those who ask why: its message file or, when the manifest says so and it failed without one, the end of its log. */
export function lastWords(record: ContainerRecord, { terminationMessagePath, terminationMessagePolicy }: V1Container): string {
  const file = terminationMessagePath === undefined ? undefined : record.messageFile(terminationMessagePath);
  const message = file === undefined ? '' : endOf(file, maxMessageBytes);
  if (message !== '' || terminationMessagePolicy !== 'FallbackToLogsOnError' || record.exitCode === 0) return message;
  // Lines of the CRI's log begin with a time, a stream and a tag.
  const lines = endOf(record.logPath, maxMessageBytes)
    .split('\n')
    .map((line) => line.split(' ').slice(3).join(' '));
  const text = lines.slice(-maxLogLines).join('\n').trimEnd();
  return text.slice(-maxLogBytes);
}

/** The last bytes of a file; nothing of what is no file. The container may have put anything into its place but for a link. */
function endOf(file: string, bytes: number): string {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, oNoFollow | oNonBlock);
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) return '';
    const buffer = Buffer.alloc(Math.min(bytes, stats.size));
    const read = readSync(descriptor, buffer, 0, buffer.length, Math.max(0, stats.size - bytes));
    return buffer.subarray(0, read).toString();
  } catch {
    return '';
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
