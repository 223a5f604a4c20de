import { expect, test } from 'bun:test';
import { parseCriContainerdFlags, parseCriFlags } from './flags.ts';
import { runtimeHandlers } from './handlers.ts';

test.each([
  ['runc=/usr/sbin/runc', { runc: { path: '/usr/sbin/runc' } }],
  ['r.1=io.containerd.runc.v2', { 'r.1': { shim: 'io.containerd.runc.v2' } }],
  ['gvisor=/usr/bin/containerd-shim-runsc-v1', { gvisor: { shim: '/usr/bin/containerd-shim-runsc-v1' } }],
])('--runtime %s', (text, runtimes) => {
  expect(parseCriFlags(['--runtime', text]).runtimes).toEqual(runtimes);
});

test.each([
  [['--runtime', 'runc'], 'invalid value "runc" for --runtime: must be NAME=PATH, or NAME=io.containerd.SHIM.VERSION'],
  [['--runtime', 'r=runc'], 'invalid value "r=runc" for --runtime: must be NAME=PATH, or NAME=io.containerd.SHIM.VERSION'],
  [['--runtime', 'r=a/b.v2'], 'invalid value "r=a/b.v2" for --runtime: must be NAME=PATH, or NAME=io.containerd.SHIM.VERSION'],
  [['--default-runtime', 'r'], 'invalid value "r" for --default-runtime: no --runtime has this name'],
])('%j is refused', (argv, message) => {
  expect(() => parseCriFlags(argv)).toThrow(message);
});

test('runtimes of a containerd are its shims, first of all runc’s', () => {
  expect(() => parseCriContainerdFlags(['--runtime', 'r=/r'])).toThrow(
    '--runtime NAME=PATH of a command is not possible: runtimes are the shims of the containerd',
  );
  const [runc, shim] = [
    { name: 'runc', runtimeName: 'io.containerd.runc.v2', isShim: true, needsPause: true },
    { name: 's', runtimeName: 'io.containerd.strake.v2', isShim: true, needsPause: true },
  ];
  const flags = ['--runtime', 's=io.containerd.strake.v2'];
  expect(runtimeHandlers(parseCriContainerdFlags(flags))).toEqual([{ ...runc, name: '' }, runc, shim]);
  expect(runtimeHandlers(parseCriContainerdFlags([...flags, '--default-runtime', 's']))).toEqual([{ ...shim, name: '' }, runc, shim]);
});

test('ours stands for no name unless another is the default; all others have a process for each pod', () => {
  const flags = ['--state', '/s', '--runtime', 'crun=/crun', '--runtime', 'shim=io.containerd.runc.v2'];
  const [own, crun, shim] = [
    { name: 'strake', runtimeName: 'io.containerd.strake.v2', needsPause: false },
    { name: 'crun', runtimeName: 'io.containerd.runc.v2', binary: { path: '/crun', root: '/s/runtimes/crun' }, needsPause: true },
    { name: 'shim', runtimeName: 'io.containerd.runc.v2', isShim: true, needsPause: true },
  ];
  expect(runtimeHandlers(parseCriFlags(flags))).toEqual([{ ...own, name: '' }, own, crun, shim]);
  expect(runtimeHandlers(parseCriFlags([...flags, '--default-runtime', 'shim']))).toEqual([{ ...shim, name: '' }, own, crun, shim]);
  const instead = { ...shim, name: 'strake' };
  expect(runtimeHandlers(parseCriFlags([...flags, '--runtime', 'strake=io.containerd.runc.v2']))).toEqual([{ ...instead, name: '' }, instead, crun, shim]);
});
