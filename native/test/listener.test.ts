import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createServer } from 'node:net';
import path from 'node:path';
import { container, makeRoot, runProgram } from './harness.ts';

const root = makeRoot();
const socketPath = path.join(root.dir, 'agent.sock');
const received: string[] = [];
/** Takes the state and lets the descriptor go: the calls that nobody answers for fail with ENOSYS. */
const agent = createServer((socket) => {
  socket.on('data', (data: Buffer) => received.push(data.toString()));
});
beforeAll(() => new Promise<void>((resolve) => agent.listen(socketPath, resolve)));
afterAll(() => {
  agent.close();
  root.remove();
});

const instruction = (code: number, jt: number, jf: number, k: number) => {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code, 0);
  bytes.set([jt, jf], 2);
  bytes.writeUInt32LE(k, 4);
  return bytes;
};
/** mkdir (83) asks the agent (linux/filter.h, linux/seccomp.h). */
const filter = Buffer.concat([
  instruction(0x20, 0, 0, 0),
  instruction(0x15, 0, 1, 83),
  instruction(0x06, 0, 0, 0x7fc0_0000),
  instruction(0x06, 0, 0, 0x7fff_0000),
]);
const newListener = 8;
const blank = ' '.repeat(10);
const offset = (at: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(at);
  return bytes;
};

const withListener = (metadata: string, pidOffsets: Uint8Array) =>
  container(root.dir, {
    argv: ['busybox', 'mkdir', '/tmp/x'],
    hostBeforeInit: [],
    beforeExec: [{ op: 'seccomp', side: 'init', flags: newListener, filter, listener: 9, metadata: Buffer.from(metadata), pidOffsets }],
  });
const connect = { op: 'connect_unix', side: 'host', out: 9, path: socketPath } as const;

test('the agent is told the pid that the host counts, and what nobody answers for fails', async () => {
  const { reports, stderr, status } = await runProgram([connect, ...withListener(`{"pid":${blank}}`, offset(7))]);
  expect(stderr).toContain('Function not implemented');
  expect(status).toBe(1);
  expect(received.map((text) => JSON.parse(text) as unknown)).toEqual([{ pid: reports[0]?.initPid }]);
});

test('a place that is not free, or outside, is a failure of the program', async () => {
  for (const [text, at] of [
    ['{"pid":0}', 7],
    [`{"pid":${blank}}`, 8],
    [`{"pid":${blank}}`, 0xffff_ffff],
  ] as const) {
    const { reports } = await runProgram([connect, ...withListener(text, offset(at))]);
    expect(reports[0]).toMatchObject({ errno: 22, detail: 'container process state' });
  }
});

test('a listener without a connection', async () => {
  const { reports } = await runProgram(withListener('{}', new Uint8Array()));
  expect(reports[0]).toMatchObject({ errno: 9, detail: 'seccomp listener slot is empty' });
});
