import { expect, test } from 'bun:test';
import { constants } from 'node:os';
import type { Op } from '../program/index.ts';
import { errnoName, errnoText } from './errno.ts';
import { programFailure } from './failure.ts';

function failed(op: Op, errno: keyof typeof constants.errno, detail: string, others: readonly Op[] = []) {
  const report = { failedIndex: 0, errno: constants.errno[errno], initPid: 0, initStartTime: 0n, phase: 'created', detail, durationsNs: [] } as const;
  const { message, code, fields } = programFailure(report, [op, ...others]);
  return { message, code, remedy: fields.remedy };
}

const cgroup = '/sys/fs/cgroup/memory/c';
const connect: Op = { op: 'connect_unix', side: 'host', out: 3, path: '/s' };
const lookup: Op = { op: 'lookup_exec', side: 'init', file: '/opt/x', env: [] };

test.each([
  [
    'what the operation is called, unless the text says it',
    failed({ op: 'setsid', side: 'init' }, 'EPERM', 'the leader'),
    'setsid: the leader: operation not permitted',
    undefined,
  ],
  ['no object', failed({ op: 'setsid', side: 'init' }, 'EPERM', ''), 'setsid: operation not permitted', undefined],
  ['said once', failed({ op: 'open', side: 'host', out: 1, path: '/x', mode: 0 }, 'ENOENT', 'open /x'), 'open /x: no such file or directory', undefined],
  [
    'a cgroup that may not be written',
    failed({ op: 'mkdir', side: 'host', path: cgroup, mode: 0o755 }, 'EACCES', `mkdir ${cgroup}`),
    `mkdir ${cgroup}: permission denied`,
    'the cgroup hierarchy is not writable for this user: run as root, or have the cgroup delegated',
  ],
  ['any other directory', failed({ op: 'mkdir', side: 'host', path: '/x', mode: 0o755 }, 'EACCES', 'mkdir /x'), 'mkdir /x: permission denied', undefined],
  [
    'a hook, whole',
    failed({ op: 'setsid', side: 'init' }, 'ENOENT', 'error running prestart hook #0: exit status 1'),
    'error running prestart hook #0: exit status 1',
    undefined,
  ],
  [
    'the socket of a terminal',
    failed(connect, 'ECONNREFUSED', 'connect to /s', [{ op: 'terminal', side: 'init', consoleSocket: 3, rows: 0, cols: 0 }]),
    'console socket: connect to /s: connection refused',
    'nobody listens there: its server has to be started before the container',
  ],
  [
    'the innermost mount above a file',
    failed(lookup, 'EACCES', 'exec: "/opt/x": permission denied', [
      { op: 'mount_fs', side: 'init', target: '/', fstype: 'tmpfs', source: 'tmpfs', attrs: 8 },
      { op: 'mount_bind', side: 'init', target: '/opt', source: '/opt', set: 2 },
    ]),
    'exec: "/opt/x": permission denied',
    'the file is not executable for the user of the process (chmod +x)',
  ],
  [
    'an end without a memory limit',
    failed({ op: 'reap', side: 'host' }, 'EPIPE', 'the first process was killed while it was set up'),
    'the first process was killed while it was set up',
    'raise linux.resources.memory.limit; the kernel’s log says whose memory it was (dmesg)',
  ],
])('%s', (_, { message, remedy }, text, what) => {
  expect(message).toBe(text);
  expect(remedy).toBe(what);
});

test('names and words of errnos', () => {
  expect([2, 11, 95, 35, 4095].map(errnoName)).toEqual(['ENOENT', 'EAGAIN', 'EOPNOTSUPP', 'EDEADLK', 'errno 4095']);
  expect([34, 4095].map(errnoText)).toEqual(['numerical result out of range', 'errno 4095']);
});
