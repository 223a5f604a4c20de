import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { silentLogger } from '../../base/index.ts';
import { authority, server as serverPem } from '../../rpc/grpc/fixtures-certificates.ts';
import { EchoBackend } from '../fixtures-backend.ts';
import { ask, ChannelClient, dialSpdy, refusal, spdyClient, spdyHeaders, textOf, upgradeWebSocket } from '../fixtures-client.ts';
import { WebSocketDuplex } from '../websocket/duplex.ts';
import { type StreamingServer, startStreamingServer } from './server.ts';

const backend = new EchoBackend();
let server: StreamingServer;

beforeAll(async () => {
  server = await startStreamingServer({ backend, log: silentLogger });
});
afterAll(async () => {
  await server.close();
});

const all = { stdin: true, stdout: true, stderr: true, terminal: false };
const exec = (command: readonly string[], choice: Partial<typeof all> = {}) => server.execUrl({ containerId: 'c1', command, ...all, ...choice });
const success = '{"metadata":{},"status":"Success"}';
const exit3 =
  '{"metadata":{},"status":"Failure","message":"command terminated with non-zero exit code: 3","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"3"}]}}';
const notThere = 'error executing command in container: no such container';
const failure = `{"metadata":{},"status":"Failure","message":"Internal error occurred: ${notThere}","reason":"InternalError","details":{"causes":[{"message":"${notThere}"}]},"code":500}`;
const exit3Text = 'command terminated with non-zero exit code: 3';
const failureText = `Internal error occurred: ${notThere}`;

describe.each([
  ['v5.channel.k8s.io', success, exit3, failure],
  ['v4.channel.k8s.io', success, exit3, failure],
  ['v3.channel.k8s.io', '', exit3Text, failureText],
  ['v2.channel.k8s.io', '', exit3Text, failureText],
  ['channel.k8s.io', '', exit3Text, failureText],
])('SPDY, %s', (protocol, well, exited, failed) => {
  const run = async (command: readonly string[], input: string) => {
    const client = await dialSpdy(exec(command), `v9.channel.k8s.io, ${protocol}`);
    expect(client.protocol).toBe(protocol);
    const open = async (streamtype: string) => await client.open({ streamtype });
    const error = await open('error');
    const [stdin, stdout, stderr] = [await open('stdin'), await open('stdout'), await open('stderr')];
    const [status, out, err] = [textOf(error.input), textOf(stdout.input), textOf(stderr.input)];
    await stdin.write(Buffer.from(input));
    stdin.end();
    return [await out, await err, await status];
  };

  test('streams in both directions, the end of stdin, the exit code', async () => {
    expect(await run(['0', 'oh', 'dear'], 'in and out\n')).toEqual(['in and out\n', 'oh dear', well]);
    expect(await run(['3'], '')).toEqual(['', '', exited]);
    expect(await run(['fail'], '')).toEqual(['', '', failed]);
  });
});

describe.each([
  ['v5.channel.k8s.io', exit3],
  ['v4.channel.k8s.io', exit3],
  ['v4.base64.channel.k8s.io', exit3],
  ['channel.k8s.io', exit3Text],
  ['base64.channel.k8s.io', exit3Text],
  ['', exit3Text],
])('WebSocket, "%s"', (protocol, exited) => {
  test('streams in both directions, a size, the exit code', async () => {
    const client = new ChannelClient(await upgradeWebSocket(exec(['3', 'oh'], { stdin: false }), protocol === '' ? '' : `x, ${protocol}`));
    expect(client.protocol ?? '').toBe(protocol);
    await client.closed;
    expect(client.received.slice(2)).toEqual(['oh', exited]);
    expect(client.announced).toEqual([1]);

    const sizes = new ChannelClient(await upgradeWebSocket(exec(['sizes'], { stderr: false, terminal: true }), protocol));
    await sizes.send(4, '{"Width":80,"Height":24}\n{"Width":0,"Height":0}{"Wid');
    await sizes.send(4, 'th":1,"Height":2}');
    await sizes.closed;
    expect(sizes.received[1]).toBe('80x24\n1x2\n');

    const echo = new ChannelClient(await upgradeWebSocket(exec(['0']), protocol));
    const many = 'y'.repeat(200_000);
    await echo.send(0, many);
    await echo.send(9, 'to nobody');
    await echo.send(1, 'to the server’s own');
    await echo.until(1, many);
    if (protocol.startsWith('v5')) {
      await echo.send(255, Buffer.from([0]));
      await echo.closed;
      expect(echo.received[3]).toBe(success);
    } else echo.connection.close();
  });
});

test('SPDY: sizes of the terminal', async () => {
  const client = await dialSpdy(exec(['sizes'], { stdin: false, stderr: false, terminal: true }), 'v4.channel.k8s.io');
  const error = await client.open({ streamtype: 'error' });
  const stdout = await client.open({ streamtype: 'stdout' });
  const resize = await client.open({ streamtype: 'resize' });
  await resize.write(Buffer.from('{"Width":120,"Height":40}{"Width":1,"Height":1}'));
  expect(await textOf(stdout.input)).toBe('120x40\n1x1\n');
  expect(await textOf(error.input)).toBe(success);
});

test('attach, by both', async () => {
  const url = () => server.attachUrl({ containerId: 'c7', ...all, stderr: false });
  const spdy = await dialSpdy(url(), 'v4.channel.k8s.io');
  const error = await spdy.open({ streamtype: 'error' });
  const [stdin, stdout] = [await spdy.open({ streamtype: 'stdin' }), await spdy.open({ streamtype: 'stdout' })];
  await stdin.write(Buffer.from('hello\n'));
  stdin.end();
  expect(await textOf(stdout.input)).toBe('attached to c7\nhello\n');
  expect(await textOf(error.input)).toBe(success);

  const client = new ChannelClient(await upgradeWebSocket(url(), 'v5.channel.k8s.io'));
  await client.send(0, 'hello\n');
  await client.send(255, Buffer.from([0]));
  await client.closed;
  expect(client.received[1]).toBe('attached to c7\nhello\n');
});

describe('port-forward', () => {
  const url = () => server.portForwardUrl({ sandboxId: 's1', ports: [8080, 1] });
  const forward = async (client: ReturnType<typeof spdyClient>, port: string, requestid?: string) => {
    const name = { port, ...(requestid === undefined ? {} : { requestid }) };
    const error = await client.open({ streamtype: 'error', ...name });
    error.end();
    return [error, await client.open({ streamtype: 'data', ...name })] as const;
  };

  test.each(['SPDY', 'a tunnel'])('by %s: several connections at once, in both directions, each with its end', async (way) => {
    const client =
      way === 'SPDY'
        ? await dialSpdy(url(), 'portforward.k8s.io')
        : await upgradeWebSocket(url(), 'SPDY/3.1+portforward.k8s.io').then(({ socket, head }) =>
            spdyClient(new WebSocketDuplex({ socket, side: 'client', received: head.rest, idleMs: 60_000 }), Buffer.alloc(0)),
          );
    const pairs = [await forward(client, '80', '0'), await forward(client, '443', '1'), await forward(client, '9')];
    for (const [, data] of pairs) {
      await data.write(Buffer.from('ping'));
      data.end();
    }
    expect(await Promise.all(pairs.map(async ([, data]) => await textOf(data.input)))).toEqual(['s1:80\nping', 's1:443\nping', 's1:9\nping']);
    expect(await Promise.all(pairs.map(async ([error]) => await textOf(error.input)))).toEqual(['', '', '']);
    const [error, data] = await forward(client, '1', '3');
    expect(await textOf(error.input)).toBe('{"closeConnection":true,"message":"error forwarding port 1 to pod s1: connection refused"}\n');
    expect(await textOf(data.input)).toBe('');
    for (const refused of [{ streamtype: 'data' }, { streamtype: 'data', port: '0' }, { streamtype: 'data', port: '70000' }, { streamtype: 'x', port: '1' }])
      await expect(client.open(refused)).rejects.toThrow('the stream was refused');
    client.connection.close();
  });

  test('by numbered channels', async () => {
    const client = new ChannelClient(await upgradeWebSocket(url(), 'v4.channel.k8s.io'));
    const port = '\x90\x1f';
    await client.until(3, '\x01\x00error forwarding port 1 to pod s1: connection refused');
    await client.until(0, `${port}s1:8080\n`);
    await client.send(0, 'ping');
    await client.until(0, `${port}s1:8080\nping`);
    expect(client.received[1]).toBe(port);
    client.connection.close();
    await client.closed;
  });
});

test('an address works once, for what it was given for', async () => {
  const url = exec(['0']);
  expect(await refusal(await ask(url.replace('/exec/', '/attach/'), 'POST', spdyHeaders('v4.channel.k8s.io')))).toBe('404 404 page not found');
  expect(await refusal(await ask(url, 'POST', spdyHeaders('v4.channel.k8s.io')))).toBe('404 404 page not found');
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/exec\/[\w-]{22}$/);
});

test.each([
  ['no protocol', 'POST', { Connection: 'Upgrade', Upgrade: 'SPDY/3.1' }, '400 unable to upgrade: the request has no header X-Stream-Protocol-Version'],
  [
    'no upgrade',
    'POST',
    { 'X-Stream-Protocol-Version': 'v4.channel.k8s.io' },
    '400 unable to upgrade: the request asks neither for SPDY/3.1 nor for a WebSocket',
  ],
  [
    'another protocol',
    'POST',
    spdyHeaders('v9'),
    '403 unable to upgrade: the client speaks v9, and the server v5.channel.k8s.io, v4.channel.k8s.io, v3.channel.k8s.io, v2.channel.k8s.io, channel.k8s.io',
  ],
  [
    'a WebSocket without a key',
    'GET',
    { Connection: 'upgrade', Upgrade: 'WebSocket' },
    '400 unable to upgrade: a WebSocket is asked for by GET, with a Sec-WebSocket-Key',
  ],
  [
    'an old WebSocket',
    'GET',
    { Connection: 'upgrade', Upgrade: 'WebSocket', 'Sec-WebSocket-Key': 'x', 'Sec-WebSocket-Version': '8' },
    '400 unable to upgrade: the version of WebSocket is not 13',
  ],
  [
    'a WebSocket of another protocol',
    'GET',
    { Connection: 'upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Key': 'x', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Protocol': 'chat' },
    '403 unable to upgrade: the client speaks chat, and the server v5.channel.k8s.io, v4.channel.k8s.io, v4.base64.channel.k8s.io, channel.k8s.io, base64.channel.k8s.io',
  ],
  ['another method', 'PUT', {}, '404 404 page not found'],
] as const)('refused: %s', async (_what, method, headers, told) => {
  expect(await refusal(await ask(exec(['0']), method, headers as Readonly<Record<string, string>>))).toBe(told);
});

test.each([
  [{ containerId: '', command: [], ...all }, 'missing required container_id'],
  [{ containerId: 'c', command: [], ...all, terminal: true }, 'tty and stderr cannot both be true'],
  [{ containerId: 'c', command: [], stdin: false, stdout: false, stderr: false, terminal: false }, 'one of stdin, stdout, or stderr must be set'],
])('a request that cannot be served has no address', (request, message) => {
  expect(() => server.execUrl(request)).toThrow(message);
});

test('a client that does not read holds the command back, and loses nothing', async () => {
  const client = await dialSpdy(exec(['flood', '200'], { stdin: false, stderr: false }), 'v4.channel.k8s.io');
  const error = await client.open({ streamtype: 'error' });
  const stdout = await client.open({ streamtype: 'stdout' });
  const status = textOf(error.input);
  let bytes = 0;
  for await (const chunk of stdout.input) {
    bytes += chunk.length;
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(bytes).toBe(20_000_000);
  expect(await status).toBe(success);
});

test('clients that leave in the middle are told of to the backend', async () => {
  const before = backend.left.length;
  for (const way of ['spdy', 'websocket']) {
    if (way === 'spdy') {
      const client = await dialSpdy(exec(['0']), 'v4.channel.k8s.io');
      for (const streamtype of ['error', 'stdin', 'stdout', 'stderr']) await client.open({ streamtype });
      client.connection.close();
    } else (await upgradeWebSocket(exec(['0']), 'v4.channel.k8s.io')).socket.destroy();
  }
  await backend.untilLeft(before + 2);
});

test('a client that opens no streams, or says nothing, is cut off', async () => {
  await using quick = await startStreamingServer({ backend, log: silentLogger, creationMs: 20, idleMs: 200 }).then((started) => ({
    execUrl: () => started.execUrl({ containerId: 'c', command: ['0'], ...all }),
    [Symbol.asyncDispose]: started.close,
  }));
  const client = await dialSpdy(quick.execUrl(), 'v4.channel.k8s.io');
  const { signal } = client.connection;
  if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  const silent = new ChannelClient(await upgradeWebSocket(quick.execUrl(), 'v4.channel.k8s.io'));
  await silent.closed;
});

test('over TLS', async () => {
  const { certificate, key } = serverPem;
  const secure = await startStreamingServer({ backend, log: silentLogger, tls: { certificate, key } });
  const url = () => secure.execUrl({ containerId: 'c', command: ['3'], ...all, stdin: false });
  expect(url()).toStartWith('https://127.0.0.1:');
  const client = await dialSpdy(url(), 'v4.channel.k8s.io', authority);
  const error = await client.open({ streamtype: 'error' });
  for (const streamtype of ['stdout', 'stderr']) await client.open({ streamtype });
  expect(await textOf(error.input)).toBe(exit3);
  const socket = new ChannelClient(await upgradeWebSocket(url(), 'v4.channel.k8s.io', authority));
  await socket.closed;
  expect(socket.received[3]).toBe(exit3);
  await secure.close();
});
