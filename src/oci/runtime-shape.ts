import { StrakeError } from '../base/index.ts';

/** A shape: a type's name (`?` optional), a list of one shape, a record of one shape (`*`), or fields. Fields that it does not name are left as they are. */
export type Shape = string | readonly [Shape] | { readonly [field: string]: Shape };

/** Numbers by their name: all are whole, and lie between these. Those of 64 bits may be bigints. */
const ranges: Readonly<Record<string, readonly [least: number | bigint, most: number | bigint]>> = {
  /** int64 or uint64: the specification has both, and -1 for "no limit" in either */
  integer: [-(2n ** 63n), 2n ** 64n - 1n],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  uint16: [0, 2 ** 16 - 1],
  /** a number of a device, or -1 for each */
  device: [-1, 2 ** 32 - 1],
};

const hookShape: Shape = [{ path: 'string', args: ['string'], env: ['string'], timeout: 'int32?' }];
const mappingShape: Shape = [{ containerID: 'uint32', hostID: 'uint32', size: 'uint32' }];
const throttleShape: Shape = [{ major: 'uint32', minor: 'uint32', rate: 'integer' }];
export const resourcesShape: Shape = {
  devices: [{ allow: 'boolean', type: 'string?', major: 'device?', minor: 'device?', access: 'string?' }],
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
    weight: 'uint16?',
    leafWeight: 'uint16?',
    weightDevice: [{ major: 'uint32', minor: 'uint32', weight: 'uint16?', leafWeight: 'uint16?' }],
    throttleReadBpsDevice: throttleShape,
    throttleWriteBpsDevice: throttleShape,
    throttleReadIOPSDevice: throttleShape,
    throttleWriteIOPSDevice: throttleShape,
  },
  hugepageLimits: [{ pageSize: 'string', limit: 'integer' }],
  network: { classID: 'uint32?', priorities: [{ name: 'string', priority: 'uint32' }] },
  rdma: { '*': { hcaHandles: 'uint32?', hcaObjects: 'uint32?' } },
  unified: { '*': 'string' },
};
export const processShape: Shape = {
  terminal: 'boolean?',
  consoleSize: { height: 'uint32', width: 'uint32' },
  user: { uid: 'integer?', gid: 'integer?', umask: 'uint32?', additionalGids: ['integer'] },
  args: ['string'],
  env: ['string'],
  cwd: 'string',
  capabilities: { bounding: ['string'], effective: ['string'], inheritable: ['string'], permitted: ['string'], ambient: ['string'] },
  rlimits: [{ type: 'string', hard: 'integer', soft: 'integer' }],
  noNewPrivileges: 'boolean?',
  apparmorProfile: 'string?',
  selinuxLabel: 'string?',
  oomScoreAdj: 'int32?',
  scheduler: {
    policy: 'string',
    nice: 'int32?',
    priority: 'uint32?',
    flags: ['string'],
    runtime: 'integer?',
    deadline: 'integer?',
    period: 'integer?',
  },
  ioPriority: { class: 'string', priority: 'int32?' },
  execCPUAffinity: { initial: 'string?', final: 'string?' },
};
export const mountsShape: Shape = [
  { destination: 'string', type: 'string?', source: 'string?', options: ['string'], uidMappings: mappingShape, gidMappings: mappingShape },
];
export const specShape: Shape = {
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
    timeOffsets: { '*': { secs: 'integer?', nanosecs: 'uint32?' } },
    sysctl: { '*': 'string' },
    cgroupsPath: 'string?',
    resources: resourcesShape,
    devices: [{ path: 'string', type: 'string', major: 'uint32?', minor: 'uint32?', fileMode: 'uint32?', uid: 'uint32?', gid: 'uint32?' }],
    netDevices: { '*': { name: 'string?' } },
    seccomp: {
      defaultAction: 'string',
      defaultErrnoRet: 'uint32?',
      listenerPath: 'string?',
      listenerMetadata: 'string?',
      architectures: ['string'],
      flags: ['string'],
      syscalls: [
        { names: ['string'], action: 'string', errnoRet: 'uint32?', args: [{ index: 'uint32', value: 'integer', valueTwo: 'integer?', op: 'string' }] },
      ],
    },
    rootfsPropagation: 'string?',
    maskedPaths: ['string'],
    readonlyPaths: ['string'],
    mountLabel: 'string?',
    personality: { domain: 'string', flags: ['string'] },
    memoryPolicy: { mode: 'string?', nodes: 'string?', flags: ['string'] },
    intelRdt: { closID: 'string?', schemata: ['string'], l3CacheSchema: 'string?', memBwSchema: 'string?', enableMonitoring: 'boolean?' },
  },
};

/** The document, of that shape; InvalidArgument that names the field. Null is taken out of it. */
export function checkDocument(value: unknown, shape: Shape, at: string): unknown {
  if (value === null) throw invalid(at, 'must be an object');
  return checkShape(value, shape, at);
}

/** Objects and lists may be missing or null (Go's encoders write null for an empty list); scalars only with `?`. */
function checkShape(value: unknown, shape: Shape, at: string): unknown {
  if (typeof shape === 'string') return checkScalar(value, shape, at);
  if (value === null || value === undefined) return undefined;
  if (Array.isArray(shape)) return checkList(value, shape[0] as Shape, at);
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

function checkList(value: unknown, shape: Shape, at: string): readonly unknown[] {
  if (!Array.isArray(value)) throw invalid(at, 'must be a list');
  return value.map((entry, index) => {
    const checked = checkShape(entry ?? undefined, shape, `${at}[${index}]`);
    if (checked === undefined) throw invalid(`${at}[${index}]`, 'must not be null');
    return checked;
  });
}

function checkScalar(value: unknown, shape: string, at: string): unknown {
  const optional = shape.endsWith('?');
  if (value === undefined && optional) return undefined;
  const type = optional ? shape.slice(0, -1) : shape;
  const range = ranges[type];
  if (range !== undefined) return checkNumber(value, range, at);
  if (typeof value !== type) throw invalid(at, value === undefined ? 'is missing' : `must be a ${type}`);
  if (typeof value === 'string' && value.includes('\0')) throw invalid(at, 'has a NUL byte');
  return value;
}

function checkNumber(value: unknown, [least, most]: readonly [number | bigint, number | bigint], at: string): number | bigint {
  if (typeof value !== 'bigint' && !(typeof value === 'number' && Number.isInteger(value)))
    throw invalid(at, value === undefined ? 'is missing' : 'must be an integer');
  if (value < least || value > most) throw invalid(at, `${value} is outside of ${least}–${most}`);
  return value;
}

function invalid(field: string, why: string): StrakeError {
  return new StrakeError('InvalidArgument', `${field}: ${why}`, { fields: { layer: 'oci', field } });
}
