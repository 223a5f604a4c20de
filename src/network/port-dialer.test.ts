import { afterAll, beforeAll, expect, test } from 'bun:test';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { StrakeError } from '../base/index.ts';
import { DirectLauncher, type PortRelay } from '../kernel/index.ts';
import { createPortDialer } from './index.ts';

const dialer = createPortDialer(new DirectLauncher({ initPath: process.env['STRAKE_INIT'] ?? path.join(import.meta.dirname, '../../dist/strake-init') }));
let server: ChildProcess;
let networkNamespace: string;
let ports: readonly [four: number, six: number];

beforeAll(async () => {
  const script = 'ip link set lo up && exec "$0" "$1"';
  server = spawn('unshare', ['--net', 'sh', '-c', script, process.execPath, path.join(import.meta.dirname, 'fixtures-ports.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(server.stdout as Readable, 'data')) as [Buffer];
  ports = JSON.parse(line.toString());
  networkNamespace = `/proc/${server.pid}/ns/net`;
});
afterAll(() => void server.kill('SIGKILL'));

async function textOf(relay: PortRelay): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of relay.output()) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

test.each([
  ['IPv4', 0],
  ['IPv6, where IPv4 is refused', 1],
] as const)('to a port of another network namespace, by %s: both ways, each with its end', async (_what, index) => {
  const relay = await dialer.dial({ networkNamespace, port: ports[index] });
  const output = textOf(relay);
  await relay.write(Buffer.from('hello\n'));
  await relay.end();
  expect(await output).toBe('hello\nbye\n');
  relay.close();
});

test('much in both directions at once, with a reader that comes late', async () => {
  const relay = await dialer.dial({ networkNamespace, port: ports[0] });
  const chunk = Buffer.alloc(1 << 20, 'x');
  const write = async () => {
    for (let count = 0; count < 8; count++) await relay.write(chunk);
    await relay.end();
  };
  const writing = write();
  expect((await textOf(relay)).length).toBe((8 << 20) + 'bye\n'.length);
  await writing;
  relay.close();
});

test('a port that nobody listens on, and one that breaks its connection', async () => {
  const failure = async (act: Promise<unknown>) =>
    await act.then(
      () => undefined,
      (error: StrakeError) => [error instanceof StrakeError && error.code, error.message, error.fields.errno],
    );
  expect(await failure(dialer.dial({ networkNamespace, port: 9 }))).toEqual(['Unavailable', 'relay_port: port 9: connection refused', 'ECONNREFUSED']);
  const relay = await dialer.dial({ networkNamespace, port: ports[0] });
  await relay.write(Buffer.from('break\n'));
  expect(await failure(textOf(relay))).toEqual(['Unavailable', 'the port broke the connection: connection reset by peer', 'ECONNRESET']);
  relay.close();
});

test('an abort closes the connection', async () => {
  const leaving = new AbortController();
  const relay = await dialer.dial({ networkNamespace, port: ports[0], signal: leaving.signal });
  leaving.abort();
  expect(await textOf(relay)).toBe('');
  await expect(dialer.dial({ networkNamespace, port: ports[0], signal: leaving.signal })).rejects.toThrow();
});
