import { deviceAt } from '../../core/index.ts';
import type { Device, DeviceRule, Hooks, Mount, RuntimeSpec } from '../../oci/index.ts';
import { invalid, refused } from '../refusals.ts';
import type { CdiFile, ContainerEdits, DeviceNode } from './specification.ts';

const annotationPrefix = 'cdi.k8s.io/';
const hookNames: readonly string[] = [
  'prestart',
  'createRuntime',
  'createContainer',
  'startContainer',
  'poststart',
  'poststop',
] satisfies readonly (keyof Hooks)[];

/** Names of devices (`VENDOR/CLASS=NAME`) that a container asks for, each once: in its field, and in annotations, as older kubelets do. */
export function wantedDevices(fields: readonly { readonly name: string }[], annotations: Readonly<Record<string, string>>): readonly string[] {
  const annotated = Object.entries(annotations).flatMap(([key, value]) => (key.startsWith(annotationPrefix) ? value.split(',') : []));
  return [...new Set([...fields.map(({ name }) => name), ...annotated.map((name) => name.trim())])].filter((name) => name !== '');
}

/** The configuration with the devices in it. InvalidArgument for names that no file knows; `directories` in the order of their weight, the last has the most. */
export function injectDevices(spec: RuntimeSpec, names: readonly string[], directories: readonly (readonly CdiFile[])[]): RuntimeSpec {
  const files = new Set<CdiFile>();
  const missing: string[] = [];
  const edits: ContainerEdits[] = [];
  for (const name of names) {
    const found = findDevice(name, directories);
    if (found === undefined) {
      missing.push(name);
      continue;
    }
    if (!files.has(found.file)) edits.push(found.file.common);
    files.add(found.file);
    edits.push(found.edits);
  }
  if (missing.length > 0) throw invalid(`CDI device injection failed: unresolvable CDI devices ${missing.join(', ')}`);
  return edits.reduce(edited, spec);
}

function findDevice(name: string, directories: readonly (readonly CdiFile[])[]): { readonly file: CdiFile; readonly edits: ContainerEdits } | undefined {
  const [kind = '', device = ''] = name.split('=', 2);
  for (const files of directories.toReversed()) {
    const found = files.flatMap((file) => {
      const edits = file.kind === kind ? file.devices.get(device) : undefined;
      return edits === undefined ? [] : [{ file, edits }];
    });
    // Two of the same weight: neither can be meant.
    if (found.length > 1) throw invalid(`CDI device ${JSON.stringify(name)} is in ${found.map(({ file }) => file.path).join(' and ')}`);
    if (found[0] !== undefined) return found[0];
  }
  return undefined;
}

function edited(spec: RuntimeSpec, edits: ContainerEdits): RuntimeSpec {
  const { process, linux } = spec;
  const nodes = (edits.deviceNodes ?? []).map((node) => resolved(node, process?.user));
  const given = (edits.mounts ?? []).map(
    ({ hostPath, containerPath, type = 'bind', options = [] }): Mount => ({ source: hostPath, destination: containerPath, type, options: [...options] }),
  );
  return {
    ...spec,
    ...(process === undefined
      ? {}
      : { process: { ...process, env: withEntries(process.env ?? [], edits.env ?? []), ...withGroups(process.user, edits.additionalGids) } }),
    mounts: [...(spec.mounts ?? []).filter(({ destination }) => given.every((mount) => mount.destination !== destination)), ...given],
    ...withHooks(spec.hooks, edits.hooks ?? []),
    linux: {
      ...linux,
      devices: [...(linux?.devices ?? []).filter(({ path }) => nodes.every(({ device }) => device.path !== path)), ...nodes.map(({ device }) => device)],
      resources: { ...linux?.resources, devices: [...(linux?.resources?.devices ?? []), ...nodes.flatMap(({ rule }) => (rule === undefined ? [] : [rule]))] },
      ...(edits.intelRdt === undefined ? {} : { intelRdt: edits.intelRdt }),
    },
  };
}

function withEntries(env: readonly string[], added: readonly string[]): readonly string[] {
  const nameOf = (entry: string) => entry.split('=', 1)[0] ?? '';
  const names = new Set(added.map(nameOf));
  return [...env.filter((entry) => !names.has(nameOf(entry))), ...added];
}

function withGroups(user: NonNullable<RuntimeSpec['process']>['user'], groups: readonly number[] = []) {
  // Group 0 would be a gift that nobody meant.
  const added = groups.filter((gid) => gid > 0);
  return user === undefined || added.length === 0 ? {} : { user: { ...user, additionalGids: [...new Set([...(user.additionalGids ?? []), ...added])] } };
}

function withHooks(hooks: Hooks | undefined, added: NonNullable<ContainerEdits['hooks']>): Pick<RuntimeSpec, 'hooks'> {
  if (added.length === 0) return {};
  const all: Record<string, Hooks[keyof Hooks]> = { ...hooks };
  for (const { hookName, ...hook } of added) {
    if (!hookNames.includes(hookName)) throw invalid(`CDI: unknown hook ${JSON.stringify(hookName)}`);
    all[hookName] = [...(all[hookName] ?? []), hook];
  }
  return { hooks: all };
}

/** What the file does not say is as the machine's node has it; the owner is the container's user. */
function resolved(node: DeviceNode, user: NonNullable<RuntimeSpec['process']>['user']): { readonly device: Device; readonly rule: DeviceRule | undefined } {
  const { path, hostPath = path, permissions = 'rwm' } = node;
  const { type, major, minor } = node.type === undefined || (node.type !== 'p' && node.major === undefined) ? machines(hostPath, path) : node;
  const device: Device = {
    path,
    type: type ?? 'c',
    ...(major === undefined || minor === undefined ? {} : { major, minor }),
    ...(node.fileMode === undefined ? {} : { fileMode: node.fileMode }),
    ...ownerOf('uid', node.uid ?? user?.uid),
    ...ownerOf('gid', node.gid ?? user?.gid),
  };
  return {
    device,
    rule: device.type === 'p' || major === undefined || minor === undefined ? undefined : { allow: true, type: device.type, major, minor, access: permissions },
  };
}

function ownerOf<K extends string>(name: K, id: number | undefined): { readonly [P in K]?: number } {
  return (id === undefined || id === 0 ? {} : { [name]: id }) as { readonly [P in K]?: number };
}

function machines(hostPath: string, path: string): Pick<Device, 'type' | 'major' | 'minor'> {
  try {
    const device = deviceAt(hostPath, path);
    if (device !== undefined) return device;
  } catch (cause) {
    throw refused('InvalidArgument', `CDI device node ${JSON.stringify(hostPath)}: no such file or directory`, {}, cause);
  }
  throw invalid(`CDI device node ${JSON.stringify(hostPath)} is no device`);
}
