import { StrakeError } from '../base/index.ts';
import { parseJson } from './json.ts';
import { checkDocument, mountsShape, processShape, resourcesShape, specShape } from './runtime-shape.ts';
import type { Mount, NamespaceType, ProcessSpec, ResourcesSpec, RuntimeSpec } from './runtime-spec.ts';

const namespaceTypes: readonly NamespaceType[] = ['pid', 'network', 'mount', 'ipc', 'uts', 'user', 'cgroup', 'time'];

/** Other keys are unknown fields, which are nobody's to look at (config.md, "Extensibility"). */
const hookKinds = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'] as const;

/** A config.json, checked. Throws InvalidArgument that names the field. */
export function parseRuntimeSpec(text: string): RuntimeSpec {
  const spec = checkDocument(parseJson(text, 'config.json'), specShape, 'config.json') as RuntimeSpec;
  validateRuntimeSpec(spec);
  return spec;
}

/** A process.json (`exec --process`), checked. */
export function parseProcessSpec(text: string): ProcessSpec {
  const process = checkDocument(parseJson(text, 'process.json'), processShape, 'process') as ProcessSpec;
  validateProcess(process);
  return process;
}

/** An array of mounts alone (crun's `mounts`), checked. */
export function parseMounts(text: string): readonly Mount[] {
  const list = parseJson(text, 'mounts');
  if (!Array.isArray(list)) throw invalid('mounts', 'mounts must be an array');
  return checkDocument(list, mountsShape, 'mounts') as readonly Mount[];
}

/** The `resources` object alone (`update --resources`), checked. */
export function parseResourcesSpec(text: string): ResourcesSpec {
  return checkDocument(parseJson(text, 'resources') ?? {}, resourcesShape, 'resources') as ResourcesSpec;
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
  for (const [index, { names }] of (linux?.seccomp?.syscalls ?? []).entries())
    if (names === undefined) throw invalid(`linux.seccomp.syscalls[${index}].names`, 'is missing');
  for (const kind of hookKinds)
    for (const hook of spec.hooks?.[kind] ?? []) {
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

function invalid(field: string, why: string): StrakeError {
  return new StrakeError('InvalidArgument', `${field}: ${why}`, { fields: { layer: 'oci', field } });
}
