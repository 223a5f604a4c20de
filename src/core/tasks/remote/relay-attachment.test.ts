import { expect, test } from 'bun:test';
import { RelayAttachment } from './relay-attachment.ts';

const input = { write: async () => undefined, end: async () => undefined, left: () => undefined };
const mebibyte = new Uint8Array(1 << 20);

test('one that does not read holds the process back; reading, or leaving, lets it go on', async () => {
  const attachment = new RelayAttachment({ stdin: false, stdout: true, stderr: true }, input);
  let went = 0;
  const offers = (['stdout', 'stderr'] as const).map(async (stream) => {
    await attachment.offer(stream, mebibyte);
    went++;
  });
  await Promise.resolve();
  expect(went).toBe(0);
  const output = attachment.output[Symbol.asyncIterator]();
  expect((await output.next()).value?.stream).toBe('stdout');
  expect((await output.next()).value?.stream).toBe('stderr');
  await Promise.all(offers);
  const last = attachment.offer('stdout', mebibyte);
  attachment.close();
  await last;
  expect((await output.next()).done).toBe(true);
});

test('streams that were not asked for are left out; at the end what waits is still read', async () => {
  const attachment = new RelayAttachment({ stdin: false, stdout: false, stderr: true }, input);
  await attachment.offer('stdout', Buffer.from('no'));
  await attachment.offer('stderr', Buffer.from('yes'));
  attachment.end();
  await attachment.offer('stderr', Buffer.from('late'));
  expect((await Array.fromAsync(attachment.output)).map(({ stream, data }) => [stream, Buffer.from(data).toString()])).toEqual([['stderr', 'yes']]);
});
