import { describe, expect, test } from 'bun:test';
import { table } from './list.ts';
import { linesOf } from './ps.ts';

describe('list', () => {
  const state = {
    ociVersion: '1.3.0',
    id: 'web',
    pid: 12,
    status: 'running',
    bundle: '/srv/a-long-bundle',
    rootfs: '/',
    created: '2026-01-02T03:04:05Z',
    owner: 'root',
  } as const;
  test('columns are at least twelve wide, with three spaces behind the longest', () => {
    expect(table([state])).toEqual([
      'ID          PID         STATUS      BUNDLE               CREATED                OWNER',
      'web         12          running     /srv/a-long-bundle   2026-01-02T03:04:05Z   root',
    ]);
  });
  test('nothing to list', () => expect(table([])).toEqual(['ID          PID         STATUS      BUNDLE      CREATED     OWNER']));
});

describe('ps', () => {
  const output = '  PID TTY STAT COMMAND\n   10 ?   S    ten\n  110 ?   S    10\n   20 ?   S    twenty\n';
  test('the lines of the container’s processes', () =>
    expect(linesOf([10, 20], output)).toEqual(['  PID TTY STAT COMMAND', '   10 ?   S    ten', '   20 ?   S    twenty']));
  test('a format without pids', () => expect(() => linesOf([10], 'CMD\ninit\n')).toThrow("couldn't find PID field in ps output"));
});
