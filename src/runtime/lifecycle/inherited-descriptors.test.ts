import { describe, expect, test } from 'bun:test';
import { activatedSockets, inheritedDescriptors, withActivation } from './inherited-descriptors.ts';

describe('descriptors that the process inherits', () => {
  const cases: readonly (readonly [string, Readonly<Record<string, string>>, number])[] = [
    ['sockets for this process', { LISTEN_FDS: '2', LISTEN_PID: '7' }, 2],
    ['sockets for another process', { LISTEN_FDS: '2', LISTEN_PID: '8' }, 0],
    ['no process named', { LISTEN_FDS: '2' }, 0],
    ['no number', { LISTEN_FDS: 'two', LISTEN_PID: '7' }, 0],
    ['none', { LISTEN_FDS: '0', LISTEN_PID: '7' }, 0],
    ['less than none', { LISTEN_FDS: '-1', LISTEN_PID: '7' }, 0],
    ['no activation', {}, 0],
  ];
  for (const [name, environment, expected] of cases) test(name, () => expect(activatedSockets(environment, 7)).toBe(expected));

  test('one that is not open is named', () => {
    expect(() => inheritedDescriptors(500, 1)).toThrow('unable to stat preserved-fd 0 (of 1)');
    expect(inheritedDescriptors(2, 0)).toBe(2);
  });

  test('the process is told of its sockets, as process 1', () => {
    const spec = { ociVersion: '1.3.0', process: { cwd: '/', env: ['A=1'] } };
    expect(withActivation(spec, 2).process?.env).toEqual(['A=1', 'LISTEN_FDS=2', 'LISTEN_PID=1']);
    expect(withActivation(spec, 0)).toBe(spec);
  });
});
