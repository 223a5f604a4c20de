import { expect, test } from 'bun:test';
import { givenSpec, sandboxSpec } from './pause-spec.ts';

const input = { given: undefined, netnsPath: '', annotations: {}, hasRootfs: false, pauseProgram: '/opt/strake-init', cgroupsPath: '/ns/s' };

test('without a specification: a process that waits, in namespaces of its own', () => {
  const { process, linux, mounts } = sandboxSpec(input);
  expect([process?.args, process?.capabilities?.bounding]).toEqual([['/pause', 'pause'], []]);
  expect(mounts?.at(-1)).toMatchObject({ destination: '/pause', source: '/opt/strake-init' });
  expect([linux?.cgroupsPath, linux?.namespaces]).toEqual([
    '/ns/s',
    [{ type: 'network' }, { type: 'ipc' }, { type: 'uts' }, { type: 'pid' }, { type: 'mount' }],
  ]);
});

test('of one that is given: all but the process, which has no root filesystem to run in', () => {
  const given = givenSpec('{"ociVersion":"1.1.0","hostname":"h","process":{"args":["sh"],"cwd":"/"},"annotations":{"a":"b"},"linux":{"cgroupsPath":"/x"}}');
  const spec = sandboxSpec({ ...input, given, netnsPath: '/run/netns/n', annotations: { c: 'd' } });
  expect([spec.hostname, spec.linux?.cgroupsPath, spec.annotations, spec.process?.args]).toEqual(['h', '/x', { a: 'b', c: 'd' }, ['/pause', 'pause']]);
  expect(spec.linux?.namespaces?.[0]).toEqual({ type: 'network', path: '/run/netns/n' });
});

test('with a root filesystem the process is that of the specification, which is checked', () => {
  const given = givenSpec('{"ociVersion":"1.1.0","process":{"args":["sh"],"cwd":"/"},"root":{"path":"rootfs"},"linux":{"namespaces":[{"type":"mount"}]}}');
  expect(sandboxSpec({ ...input, given, hasRootfs: true }).process?.args).toEqual(['sh']);
  const wrong = { ...given, ociVersion: '1.1.0', process: { args: ['sh'], cwd: 'tmp' } };
  expect(() => sandboxSpec({ ...input, given: wrong as never, hasRootfs: true })).toThrow('Cwd must be an absolute path');
});
