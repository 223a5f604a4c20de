/** Device rules, tried by opening nodes inside: v1's devices controller and v2's eBPF program must answer alike. */
import { expect, test } from 'bun:test';
import { useRuntimeWorld } from './lib/index.ts';

const runtime = useRuntimeWorld();

interface Rule {
  readonly allow: boolean;
  readonly type?: string;
  readonly major?: number;
  readonly minor?: number;
  readonly access?: string;
}

/** /dev/kmsg and /dev/mem: character devices that the kernel has, and that no container has. */
const kmsg = 'c 1 11';
const mem = 'c 1 1';
/** A block device whose driver need not be there: an allowed open of it may fail with ENXIO or ENODEV, a denied one with EPERM. */
const disk = 'b 7 0';

const cases: readonly { readonly name: string; readonly rules: readonly Rule[]; readonly seen: Readonly<Record<string, string>> }[] = [
  { name: 'no rule', rules: [], seen: { 'r c 1 3': 'yes', 'w c 1 3': 'yes', 'r c 1 5': 'yes', [`r ${kmsg}`]: 'no', [`r ${mem}`]: 'no', [`r ${disk}`]: 'no' } },
  {
    name: 'one device, reading alone',
    rules: [{ allow: true, type: 'c', major: 1, minor: 11, access: 'r' }],
    seen: { [`r ${kmsg}`]: 'yes', [`w ${kmsg}`]: 'no', [`r ${mem}`]: 'no', 'r c 1 3': 'yes' },
  },
  {
    name: 'every minor of a major',
    rules: [{ allow: true, type: 'c', major: 1, access: 'rw' }],
    seen: { [`r ${kmsg}`]: 'yes', [`w ${kmsg}`]: 'yes', [`r ${mem}`]: 'yes', [`r ${disk}`]: 'no' },
  },
  {
    name: 'everything',
    rules: [{ allow: true, access: 'rwm' }],
    seen: { [`r ${kmsg}`]: 'yes', [`w ${kmsg}`]: 'yes', [`r ${mem}`]: 'yes', [`r ${disk}`]: 'yes' },
  },
  {
    name: 'everything but one',
    rules: [
      { allow: true, access: 'rwm' },
      { allow: false, type: 'c', major: 1, minor: 11, access: 'w' },
    ],
    seen: { [`r ${kmsg}`]: 'yes', [`w ${kmsg}`]: 'no', [`r ${mem}`]: 'yes', [`r ${disk}`]: 'yes' },
  },
  {
    name: 'a block device of the same numbers is another',
    rules: [{ allow: true, type: 'b', major: 7, minor: 0, access: 'rw' }],
    seen: { [`r ${disk}`]: 'yes', 'r c 7 0': 'no' },
  },
];

/** Opens each node for reading (r) or writing (w): "no" is EPERM, anything else that the driver says is "yes". */
const script = `
cd /tmp
n=0
while read way type major minor; do
  n=$((n + 1))
  mknod $n $type $major $minor
  case $way in
    r) message=$( { : < $n; } 2>&1 ) ;;
    w) message=$( { : >> $n; } 2>&1 ) ;;
  esac
  case "$message" in *'not permitted'*) echo "$way $type $major $minor no" ;; *) echo "$way $type $major $minor yes" ;; esac
done`;

test.each(cases)('$name', async ({ rules, seen }) => {
  const capabilities = ['CAP_MKNOD', 'CAP_SYSLOG', 'CAP_SYS_RAWIO', 'CAP_DAC_OVERRIDE'];
  const finished = await runtime.current.run(
    (spec) => {
      spec.process['capabilities'] = { bounding: capabilities, effective: capabilities, permitted: capabilities };
      spec.process.args = ['sh', '-c', script];
      spec.linux.resources['devices'] = rules;
    },
    [],
    { stdin: `${Object.keys(seen).join('\n')}\n` },
  );
  expect(finished.stderr).toBe('');
  const expected = Object.entries(seen).map(([way, answer]) => `${way} ${answer}`);
  expect(finished.stdout.trim().split('\n')).toEqual(expected);
});

test('rules hold for exec, and for what a device file of the configuration names', async () => {
  await using container = await runtime.current.running((spec) => {
    spec.linux['devices'] = [{ path: '/dev/kernel-log', type: 'c', major: 1, minor: 11, fileMode: 0o666, uid: 0, gid: 0 }];
  });
  const denied = await container.exec(['head', '-c1', '/dev/kernel-log']);
  expect(denied.stderr).toContain('Operation not permitted');
  expect(await container.output(['head', '-c3', '/dev/zero'])).toBe('\0\0\0');
});
