import fc from 'fast-check';
import { encodeProgram } from '../../src/kernel/index.ts';
import { formatJson, parseRuntimeSpec, type RuntimeSpec } from '../../src/oci/index.ts';
import { compileCreate, defaultSpec } from '../../src/runtime/index.ts';
import { compileOptions } from '../machine.ts';
import { accepted, check } from '../target.ts';

const namespaces = ['pid', 'network', 'ipc', 'uts', 'cgroup', 'mount', 'user', 'time'] as const;
const mapping = [{ containerID: 0, hostID: 100_000, size: 65_536 }];

/** A configuration with most of the fields, which the changes start from. */
const full = {
  ...defaultSpec(),
  hostname: 'h',
  domainname: 'd',
  annotations: { 'org.example': 'x' },
  hooks: { prestart: [{ path: '/bin/true', args: ['true'], env: ['A=b'], timeout: 3 }], poststop: [{ path: '/bin/true' }] },
  process: {
    ...defaultSpec().process,
    terminal: false,
    user: { uid: 5, gid: 6, umask: 18, additionalGids: [7] },
    apparmorProfile: 'p',
    oomScoreAdj: 100,
    scheduler: { policy: 'SCHED_FIFO', priority: 3, flags: ['SCHED_FLAG_RESET_ON_FORK'] },
    ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 4 },
    execCPUAffinity: { initial: '0', final: '0-3,7' },
  },
  mounts: [
    ...(defaultSpec().mounts ?? []),
    { destination: '/data', type: 'bind', source: '/src', options: ['rbind', 'rro', 'nosuid', 'idmap'], uidMappings: mapping, gidMappings: mapping },
    { destination: '/cache', type: 'tmpfs', source: 'tmpfs', options: ['size=1m', 'tmpcopyup', 'rprivate'] },
  ],
  linux: {
    ...defaultSpec().linux,
    namespaces: namespaces.map((type) => ({ type })),
    uidMappings: mapping,
    gidMappings: mapping,
    timeOffsets: { boottime: { secs: 1, nanosecs: 2 } },
    sysctl: { 'net.ipv4.ip_forward': '1', 'kernel.msgmax': '100' },
    devices: [{ path: '/dev/fuse', type: 'c', major: 10, minor: 229, fileMode: 438, uid: 0, gid: 0 }],
    rootfsPropagation: 'rslave',
    personality: { domain: 'LINUX' },
    resources: {
      devices: [{ allow: true, type: 'c', major: 1, minor: 3, access: 'rw' }],
      memory: { limit: 1 << 20, swap: 1 << 21, reservation: 4096 },
      cpu: { shares: 100, quota: 1000, period: 10_000, cpus: '0-1', mems: '0' },
      pids: { limit: 10 },
      blockIO: { weight: 10, throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 100 }] },
      hugepageLimits: [{ pageSize: '2MB', limit: 4096 }],
      unified: { 'memory.high': 'max' },
    },
    seccomp: {
      defaultAction: 'SCMP_ACT_ERRNO',
      architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'],
      flags: ['SECCOMP_FILTER_FLAG_LOG'],
      syscalls: [{ names: ['read', 'write'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: 1, op: 'SCMP_CMP_EQ' }] }],
    },
  },
};

const strange = fc.oneof(
  fc.constantFrom<unknown>(null, true, '', '/', '..', '\0', '/a\0b', 'a'.repeat(5000), '-1', '/proc', [], {}, [null], [[]], { __proto__: 1 }),
  fc.constantFrom<unknown>(-1, 0, 0.5, 1e21, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53, -(2 ** 63), 2n ** 63n, 2n ** 64n - 1n, 2n ** 64n),
  fc.string({ maxLength: 20, unit: 'binary' }),
  fc.integer(),
  fc.jsonValue({ maxDepth: 3 }),
);

const change = fc.record({ at: fc.nat(), kind: fc.constantFrom('replace', 'remove', 'twice', 'add'), value: strange, key: fc.string({ maxLength: 12 }) });

/** Every object and list in it, each with its keys. */
function places(value: unknown): { readonly in: Record<string, unknown>; readonly key: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  const inside = value as Record<string, unknown>;
  return Object.keys(inside).flatMap((key) => [{ in: inside, key }, ...places(inside[key])]);
}

function apply(spec: unknown, { at, kind, value, key }: { at: number; kind: string; value: unknown; key: string }): void {
  const all = places(spec);
  const place = all[at % Math.max(1, all.length)];
  if (place === undefined) return;
  // A number as the length of a list would make that list.
  if (Array.isArray(place.in) && key === 'length') return;
  if (kind === 'remove') delete place.in[place.key];
  else if (kind === 'twice') place.in[`${place.key}${Array.isArray(place.in) ? '' : key}`] = [place.in[place.key], place.in[place.key]];
  else place.in[kind === 'add' && key !== '__proto__' ? key : place.key] = value;
}

const text = fc
  .tuple(fc.boolean(), fc.array(change, { minLength: 1, maxLength: 4 }), fc.option(fc.tuple(fc.nat(), fc.nat(40), fc.string({ maxLength: 3 }))))
  .map(([rich, changes, cut]) => {
    const spec: unknown = structuredClone(rich ? full : defaultSpec());
    for (const one of changes) apply(spec, one);
    const json = formatJson(spec);
    if (cut === null || cut[0] % 8 !== 0) return json;
    const start = cut[0] % json.length;
    return json.slice(0, start) + cut[2] + json.slice(start + cut[1]);
  });

/** A config.json becomes a program, or is refused by name. */
export function config(runs: number, seed: number): void {
  check(accepted(() => parseRuntimeSpec(formatJson(full))) !== undefined, 'the configuration that the changes start from is refused');
  const property = fc.property(text, (json) => {
    const spec: RuntimeSpec | undefined = accepted(() => parseRuntimeSpec(json));
    if (spec === undefined) return;
    for (const options of compileOptions) {
      const operations = accepted(() => compileCreate(spec, options));
      if (operations !== undefined) accepted(() => encodeProgram(operations));
    }
  });
  fc.assert(property, { numRuns: runs, seed });
}
