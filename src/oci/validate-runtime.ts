import { StrakeError } from '../base/index.ts';
import { parseJson } from './json.ts';
import type { Mount, NamespaceType, ProcessSpec, ResourcesSpec, RuntimeSpec } from './runtime-spec.ts';

const namespaceTypes: readonly NamespaceType[] = ['pid', 'network', 'mount', 'ipc', 'uts', 'user', 'cgroup', 'time'];

/** A config.json, checked. Throws InvalidArgument that names the field. */
export function parseRuntimeSpec(text: string): RuntimeSpec {
  const spec = checkShape(parseJson(text, 'config.json'), specShape, 'config.json') as RuntimeSpec;
  validateRuntimeSpec(spec);
  return spec;
}

/** A process.json (`exec --process`), checked. */
export function parseProcessSpec(text: string): ProcessSpec {
  const process = checkShape(parseJson(text, 'process.json'), processShape, 'process') as ProcessSpec;
  validateProcess(process);
  return process;
}

/** An array of mounts alone (crun's `mounts`), checked. */
export function parseMounts(text: string): readonly Mount[] {
  const list = parseJson(text, 'mounts');
  if (!Array.isArray(list)) throw invalid('mounts', 'mounts must be an array');
  return checkShape(list, mountsShape, 'mounts') as readonly Mount[];
}

/** The `resources` object alone (`update --resources`), checked. */
export function parseResourcesSpec(text: string): ResourcesSpec {
  return (checkShape(parseJson(text, 'resources'), resourcesShape, 'resources') ?? {}) as ResourcesSpec;
}

/** What the types cannot say: rules between fields (runtime-spec config.md, config-linux.md). */
export function validateRuntimeSpec(spec: RuntimeSpec): void {
  if (!/^1\.\d+\.\d+([-+].*)?$/.test(spec.ociVersion)) throw invalid('ociVersion', `unsupported version ${JSON.stringify(spec.ociVersion)}`);
  if (spec.root !== undefined && spec.root.path === '') throw invalid('root.path', 'is empty');
  if (spec.process !== undefined) validateProcess(spec.process);
  const { linux } = spec;
  const types = (linux?.namespaces ?? []).map(({ type }) => type);
  for (const [index, type] of types.entries()) {
    if (!namespaceTypes.includes(type)) throw invalid('linux.namespaces', `unknown namespace ${JSON.stringify(type)}`);
    if (types.indexOf(type) !== index) throw invalid('linux.namespaces', `malformed spec file: duplicated ns ${JSON.stringify(type)}`);
  }
  const has = (type: NamespaceType) => types.includes(type);
  if (spec.hostname && !has('uts')) throw invalid('hostname', 'unable to set hostname without a private UTS namespace');
  if (spec.domainname && !has('uts')) throw invalid('domainname', 'unable to set domainname without a private UTS namespace');
  const maps = (linux?.uidMappings?.length ?? 0) + (linux?.gidMappings?.length ?? 0);
  if (maps > 0 && !has('user')) throw invalid('linux.uidMappings', 'user namespace mappings specified, but user namespace is not enabled in the config');
  if (linux?.timeOffsets !== undefined && Object.keys(linux.timeOffsets).length > 0 && !has('time'))
    throw invalid('linux.timeOffsets', 'time namespace offsets specified, but time namespace is not enabled in the config');
  for (const [key, value] of Object.entries(linux?.sysctl ?? {})) validateSysctl(key, value, spec);
  for (const path of [...(linux?.maskedPaths ?? []), ...(linux?.readonlyPaths ?? [])])
    if (!path.startsWith('/')) throw invalid('linux.maskedPaths', `${path} is not absolute`);
  for (const [kind, hooks] of Object.entries(spec.hooks ?? {}))
    for (const hook of hooks) {
      if (!hook.path.startsWith('/')) throw invalid(`hooks.${kind}`, `${JSON.stringify(hook.path)} is not an absolute path`);
      if (hook.timeout !== undefined && hook.timeout <= 0) throw invalid(`hooks.${kind}`, 'timeout must be greater than zero');
    }
}

function validateProcess(process: ProcessSpec): void {
  if (process.cwd === '') throw invalid('process.cwd', 'Cwd property must not be empty');
  if (!process.cwd.startsWith('/')) throw invalid('process.cwd', 'Cwd must be an absolute path');
  if (process.args === undefined || process.args.length === 0) throw invalid('process.args', 'args must not be empty');
  const limits = (process.rlimits ?? []).map(({ type }) => type);
  for (const [index, type] of limits.entries()) if (limits.indexOf(type) !== index) throw invalid('process.rlimits', `${type} is given twice`);
  for (const { type, soft, hard } of process.rlimits ?? [])
    if (BigInt.asUintN(64, BigInt(soft)) > BigInt.asUintN(64, BigInt(hard))) throw invalid('process.rlimits', `${type}: the soft limit is above the hard one`);
  const score = process.oomScoreAdj ?? 0;
  if (score < -1000 || score > 1000) throw invalid('process.oomScoreAdj', `${score} is outside of -1000–1000`);
}

/** Sysctls that the kernel keeps per IPC namespace (runc's list; kernel/Documentation/admin-guide/sysctl/kernel.rst). */
const ipcSysctls = new Set(['msgmax', 'msgmnb', 'msgmni', 'sem', 'shmall', 'shmmax', 'shmmni', 'shm_rmid_forced'].map((name) => `kernel.${name}`));

/** Only settings that belong to a namespace of the container may be written: others would change the machine (CVE-2022-0811). */
function validateSysctl(key: string, value: string, spec: RuntimeSpec): void {
  const own = (type: NamespaceType) => spec.linux?.namespaces?.some((namespace) => namespace.type === type) ?? false;
  const name = /[./]/.exec(key)?.[0] === '/' ? key.replace(/[./]/g, (mark) => (mark === '/' ? '.' : '/')) : key;
  if (!/^[\w-]+([./][\w:@-]+)+$/.test(key) || key.split('/').includes('..')) throw invalid('linux.sysctl', `malformed key ${JSON.stringify(key)}`);
  if (/[\n\0]/.test(value)) throw invalid('linux.sysctl', `value of ${key} has a line feed or NUL`);
  if (ipcSysctls.has(name) || name.startsWith('fs.mqueue.')) {
    if (!own('ipc')) throw invalid('linux.sysctl', `sysctl ${JSON.stringify(key)} is not allowed in the hosts ipc namespace`);
    return;
  }
  if (name.startsWith('net.')) {
    if (!own('network')) throw invalid('linux.sysctl', `sysctl ${JSON.stringify(key)} not allowed in host network namespace`);
    return;
  }
  if (own('uts') && name === 'kernel.domainname') return;
  if (own('uts') && name === 'kernel.hostname')
    throw invalid('linux.sysctl', `sysctl ${JSON.stringify(key)} is not allowed as it conflicts with the OCI 'hostname' field`);
  throw invalid('linux.sysctl', `sysctl ${JSON.stringify(key)} is not in a separate kernel namespace`);
}

/** A shape: a type's name (`?` optional), a list of one shape, a record of one shape (`*`), or fields. */
type Shape = string | readonly [Shape] | { readonly [field: string]: Shape };

const hookShape: Shape = [{ path: 'string', args: ['string'], env: ['string'], timeout: 'integer?' }];
const mappingShape: Shape = [{ containerID: 'integer', hostID: 'integer', size: 'integer' }];
const processShape: Shape = {
  terminal: 'boolean?',
  consoleSize: { height: 'integer', width: 'integer' },
  user: { uid: 'integer?', gid: 'integer?', umask: 'integer?', additionalGids: ['integer'] },
  args: ['string'],
  env: ['string'],
  cwd: 'string',
  capabilities: { bounding: ['string'], effective: ['string'], inheritable: ['string'], permitted: ['string'], ambient: ['string'] },
  rlimits: [{ type: 'string', hard: 'integer', soft: 'integer' }],
  noNewPrivileges: 'boolean?',
  apparmorProfile: 'string?',
  selinuxLabel: 'string?',
  oomScoreAdj: 'integer?',
  scheduler: { policy: 'string', nice: 'integer?', priority: 'integer?', flags: ['string'], runtime: 'integer?', deadline: 'integer?', period: 'integer?' },
  ioPriority: { class: 'string', priority: 'integer' },
  execCPUAffinity: { initial: 'string?', final: 'string?' },
};
const mountsShape: Shape = [
  { destination: 'string', type: 'string?', source: 'string?', options: ['string'], uidMappings: mappingShape, gidMappings: mappingShape },
];
const throttleShape: Shape = [{ major: 'integer', minor: 'integer', rate: 'integer' }];
const resourcesShape: Shape = {
  devices: [{ allow: 'boolean', type: 'string?', major: 'integer?', minor: 'integer?', access: 'string?' }],
  memory: {
    limit: 'integer?',
    reservation: 'integer?',
    swap: 'integer?',
    kernel: 'integer?',
    kernelTCP: 'integer?',
    swappiness: 'integer?',
    disableOOMKiller: 'boolean?',
    useHierarchy: 'boolean?',
    checkBeforeUpdate: 'boolean?',
  },
  cpu: {
    shares: 'integer?',
    quota: 'integer?',
    burst: 'integer?',
    period: 'integer?',
    realtimeRuntime: 'integer?',
    realtimePeriod: 'integer?',
    cpus: 'string?',
    mems: 'string?',
    idle: 'integer?',
  },
  pids: { limit: 'integer?' },
  blockIO: {
    weight: 'integer?',
    leafWeight: 'integer?',
    weightDevice: [{ major: 'integer', minor: 'integer', weight: 'integer?', leafWeight: 'integer?' }],
    throttleReadBpsDevice: throttleShape,
    throttleWriteBpsDevice: throttleShape,
    throttleReadIOPSDevice: throttleShape,
    throttleWriteIOPSDevice: throttleShape,
  },
  hugepageLimits: [{ pageSize: 'string', limit: 'integer' }],
  network: { classID: 'integer?', priorities: [{ name: 'string', priority: 'integer' }] },
  rdma: { '*': { hcaHandles: 'integer?', hcaObjects: 'integer?' } },
  unified: { '*': 'string' },
};
const specShape: Shape = {
  ociVersion: 'string',
  root: { path: 'string', readonly: 'boolean?' },
  process: processShape,
  hostname: 'string?',
  domainname: 'string?',
  mounts: mountsShape,
  hooks: { prestart: hookShape, createRuntime: hookShape, createContainer: hookShape, startContainer: hookShape, poststart: hookShape, poststop: hookShape },
  annotations: { '*': 'string' },
  linux: {
    namespaces: [{ type: 'string', path: 'string?' }],
    uidMappings: mappingShape,
    gidMappings: mappingShape,
    sysctl: { '*': 'string' },
    cgroupsPath: 'string?',
    resources: resourcesShape,
    devices: [{ path: 'string', type: 'string', major: 'integer?', minor: 'integer?', fileMode: 'integer?', uid: 'integer?', gid: 'integer?' }],
    seccomp: {
      defaultAction: 'string',
      defaultErrnoRet: 'integer?',
      listenerPath: 'string?',
      listenerMetadata: 'string?',
      architectures: ['string'],
      flags: ['string'],
      syscalls: [
        { names: ['string'], action: 'string', errnoRet: 'integer?', args: [{ index: 'integer', value: 'integer', valueTwo: 'integer?', op: 'string' }] },
      ],
    },
    rootfsPropagation: 'string?',
    maskedPaths: ['string'],
    readonlyPaths: ['string'],
    mountLabel: 'string?',
    netDevices: { '*': { name: 'string?' } },
    intelRdt: { closID: 'string?', schemata: ['string'], l3CacheSchema: 'string?', memBwSchema: 'string?', enableMonitoring: 'boolean?' },
    memoryPolicy: { mode: 'string?', nodes: 'string?', flags: ['string'] },
    personality: { domain: 'string', flags: ['string'] },
    timeOffsets: { '*': { secs: 'integer?', nanosecs: 'integer?' } },
  },
};

/** Objects and lists may be missing or null (Go's encoders write null for an empty list); scalars only with `?`. Null is taken out. */
function checkShape(value: unknown, shape: Shape, at: string): unknown {
  if (typeof shape === 'string') return checkScalar(value, shape, at);
  if (value === null || value === undefined) return undefined;
  if (Array.isArray(shape)) {
    if (!Array.isArray(value)) throw invalid(at, 'must be a list');
    return value.map((entry, index) => checkShape(entry, shape[0] as Shape, `${at}[${index}]`));
  }
  if (typeof value !== 'object' || Array.isArray(value)) throw invalid(at, 'must be an object');
  const fields = shape as Readonly<Record<string, Shape>>;
  const record = withKnownCase(value as Record<string, unknown>, fields);
  const every = fields['*'];
  const checked: [string, unknown][] = [];
  for (const name of new Set([...Object.keys(record), ...Object.keys(fields)])) {
    if (name === '*') continue;
    const known = every ?? (Object.hasOwn(fields, name) ? fields[name] : undefined);
    const path = at === 'config.json' ? name : `${at}.${name}`;
    const entry = known === undefined ? (record[name] ?? undefined) : checkShape(record[name] ?? undefined, known, path);
    if (entry !== undefined) checked.push([name, entry]);
  }
  return Object.fromEntries(checked);
}

/** Go's decoder takes a field's name in any case, and configurations are written for it (`pagesize`, `CPU`). */
function withKnownCase(record: Record<string, unknown>, fields: Readonly<Record<string, Shape>>): Record<string, unknown> {
  const unknown = fields['*'] === undefined ? Object.keys(record).filter((name) => !Object.hasOwn(fields, name)) : [];
  if (unknown.length === 0) return record;
  const names = new Map(Object.keys(fields).map((name) => [name.toLowerCase(), name]));
  const meant = (name: string) => (Object.hasOwn(fields, name) ? name : (names.get(name.toLowerCase()) ?? name));
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [meant(name), value]));
}

function checkScalar(value: unknown, shape: string, at: string): unknown {
  const optional = shape.endsWith('?');
  if (value === undefined && optional) return undefined;
  const type = optional ? shape.slice(0, -1) : shape;
  const good = type === 'integer' ? typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value)) : typeof value === type;
  if (!good) throw invalid(at, value === undefined ? 'is missing' : `must be ${type === 'integer' ? 'an' : 'a'} ${type}`);
  if (typeof value === 'string' && value.includes('\0')) throw invalid(at, 'has a NUL byte');
  return value;
}

function invalid(field: string, why: string): StrakeError {
  return new StrakeError('InvalidArgument', `${field}: ${why}`, { fields: { layer: 'oci', field } });
}
