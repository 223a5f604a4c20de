import { expect, test } from 'bun:test';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { runcOptions } from '../../api/containerd/index.ts';
import { StrakeError } from '../../base/index.ts';
import type { HostedTask, NewTask, TaskHost } from './task-host.ts';
import { TaskHosts } from './task-hosts.ts';

const none: never = undefined as never;

function recording(name: string, seen: string[], ids: readonly string[] = []): TaskHost {
  const task = (id: string): HostedTask => ({ namespace: 'ns', id, pid: 1, service: none, delete: none });
  return {
    async create({ id, runtime, options }: NewTask) {
      const binary = options === undefined ? '' : ` ${fromBinary(runcOptions.OptionsSchema, options.value).binaryName}`;
      seen.push(`${name} ${runtime}${binary}`);
      return task(id);
    },
    get(_namespace, id) {
      if (!ids.includes(id)) throw new StrakeError('NotFound', `no task ${id}`);
      return task(`${name} ${id}`);
    },
    list: () => ids.map(task),
    async info(runtime) {
      return { name: `${name} ${runtime}` };
    },
  };
}

const encoded = (binaryName: string) => ({
  typeUrl: 'containerd.runc.v1.Options',
  value: toBinary(runcOptions.OptionsSchema, create(runcOptions.OptionsSchema, { binaryName })),
});
const newTask = (runtime: string, options?: NewTask['options']): NewTask => ({
  namespace: 'ns',
  id: 'c1',
  runtime,
  spec: new Uint8Array(),
  options,
  rootfs: [],
  stdio: { stdin: '', stdout: '', stderr: '', terminal: false },
  signal: new AbortController().signal,
});
const runtimes = { 'io.containerd.runc.v2': { binary: '/usr/bin/crun' }, 'a.b.kept.v2': { shim: '/opt/shim' } };

test.each([
  ['ours by its name', 'io.containerd.strake.v2', undefined, {}, 'inside io.containerd.strake.v2'],
  ['ours by the name that clients ask for', 'io.containerd.runc.v2', undefined, {}, 'inside io.containerd.runc.v2'],
  ['another name is a shim', 'io.containerd.runsc.v1', undefined, {}, 'shims io.containerd.runsc.v1'],
  ['a path is a shim', '/usr/bin/containerd-shim-runc-v2', undefined, {}, 'shims /usr/bin/containerd-shim-runc-v2'],
  ['a name that the configuration gives a shim', 'a.b.kept.v2', undefined, runtimes, 'shims /opt/shim'],
  ['a name that it gives a binary', 'io.containerd.runc.v2', undefined, runtimes, 'inside io.containerd.runc.v2 /usr/bin/crun'],
  ['the standard name in the options is none', 'io.containerd.runc.v2', encoded('runc'), runtimes, 'inside io.containerd.runc.v2 /usr/bin/crun'],
  ['a binary in the options stays', 'io.containerd.runc.v2', encoded('/usr/bin/youki'), runtimes, 'inside io.containerd.runc.v2 /usr/bin/youki'],
] as const)('%s', async (_what, runtime, options, settings, expected) => {
  const seen: string[] = [];
  await new TaskHosts({ inProcess: recording('inside', seen), shims: recording('shims', seen), runtimes: settings }).create(newTask(runtime, options));
  expect(seen).toEqual([expected]);
});

test('a runtime is asked what it is where it would run a task', async () => {
  const hosts = new TaskHosts({ inProcess: recording('inside', []), shims: recording('shims', []), runtimes });
  const { signal } = new AbortController();
  const names = ['io.containerd.runc.v2', 'a.b.kept.v2', '/usr/bin/shim'].map(async (runtime) => (await hosts.info(runtime, undefined, signal)).name);
  expect(await Promise.all(names)).toEqual(['inside io.containerd.runc.v2', 'shims /opt/shim', 'shims /usr/bin/shim']);
});

test('a task is found wherever it is; without shims their runtimes are not there', async () => {
  const hosts = new TaskHosts({ inProcess: recording('inside', [], ['a']), shims: recording('shims', [], ['b']), runtimes: {} });
  expect([hosts.get('ns', 'a').id, hosts.get('ns', 'b').id]).toEqual(['inside a', 'shims b']);
  expect(hosts.list('ns').map(({ id }) => id)).toEqual(['a', 'b']);
  expect(() => hosts.get('ns', 'c')).toThrow('no task c');
  const alone = new TaskHosts({ inProcess: recording('inside', []), runtimes: {} });
  await expect(alone.create(newTask('io.containerd.kata.v2'))).rejects.toThrow('runtime "io.containerd.kata.v2": no shims are run here');
});
