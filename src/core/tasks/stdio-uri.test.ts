import { expect, test } from 'bun:test';
import { stdioOfUris } from './stdio-uri.ts';

const container = { id: 'c1', namespace: 'default' };
const none = { stdin: '', stdout: '', stderr: '', terminal: false };
const fifo = (path: string) => ({ kind: 'fifo' as const, path });

test.each([
  ['nothing', none, {}],
  ['FIFOs', { ...none, stdin: '/f/in', stdout: '/f/out', stderr: '/f/err' }, { stdin: '/f/in', stdout: fifo('/f/out'), stderr: fifo('/f/err') }],
  ['a FIFO by its scheme', { ...none, stdout: 'fifo:///f/out' }, { stdout: fifo('/f/out') }],
  ['a terminal has one output', { ...none, stdout: '/f/out', stderr: '/f/err', terminal: true }, { stdout: fifo('/f/out') }],
  [
    'a file is for both',
    { ...none, stdout: 'file:///log/a%20b', stderr: '/f/err' },
    { stdout: { kind: 'file', path: '/log/a b' }, stderr: { kind: 'file', path: '/log/a b' } },
  ],
])('%s', (_what, uris, routes) => {
  const { routes: got, openStdin, terminal } = stdioOfUris(uris, container);
  expect(got).toEqual({ stdin: undefined, stdout: undefined, stderr: undefined, ...routes } as typeof got);
  expect({ openStdin, terminal }).toEqual({ openStdin: uris.stdin !== '', terminal: uris.terminal });
});

test('a logging program: its arguments are the query, its environment names the container', () => {
  const uri = 'binary:///usr/bin/logger?--path=/log/x&flag&--path=again';
  const { routes } = stdioOfUris({ ...none, stdout: uri, stderr: uri }, container);
  expect(routes?.stderr).toBe(undefined);
  expect(routes?.stdout).toMatchObject({ kind: 'program', argv: ['/usr/bin/logger', '--path', '/log/x', 'flag', ''] });
  expect(routes?.stdout?.kind === 'program' ? routes.stdout.env.slice(0, 2) : []).toEqual(['CONTAINER_ID=c1', 'CONTAINER_NAMESPACE=default']);
});

test.each([
  ['relative/path', 'the path is not absolute'],
  ['http:///x', 'unknown STDIO scheme http'],
  ['file://host/x', 'the path is not absolute'],
  ['binary://', 'the path is not absolute'],
])('refused: %s', (stdout, why) => {
  expect(() => stdioOfUris({ ...none, stdout }, container)).toThrow(why);
});
