import type { HostConfig, MountConfig, PortBinding, RestartPolicy } from '../../../api/docker/index.ts';
import { StrakeError } from '../../../base/index.ts';
import {
  asObject,
  type JsonObject,
  optionalBoolean,
  optionalInteger,
  optionalObject,
  optionalString,
  optionalStringMap,
  optionalStrings,
} from '../../server/index.ts';
import { list } from './parse-list.ts';
import { parseResources } from './parse-resources.ts';

/** `HostConfig` of a create request; what is absent gets Go's zero value. */
export function parseHostConfig(body: JsonObject): HostConfig {
  const text = (name: string) => optionalString(body, name) ?? '';
  const flag = (name: string) => optionalBoolean(body, name) ?? false;
  const strings = (name: string) => optionalStrings(body, name) ?? null;
  const map = <K extends string>(name: K) => present(name, optionalStringMap(body, name));
  const mounts = list(body, 'Mounts', parseMount);
  const init = optionalBoolean(body, 'Init');
  const log = optionalObject(body, 'LogConfig') ?? {};
  return {
    ...parseResources(body),
    Binds: strings('Binds'),
    ContainerIDFile: text('ContainerIDFile'),
    LogConfig: { Type: optionalString(log, 'Type') ?? '', Config: optionalStringMap(log, 'Config') ?? {} },
    NetworkMode: text('NetworkMode'),
    PortBindings: parsePortBindings(body),
    RestartPolicy: parseRestartPolicy(body),
    AutoRemove: flag('AutoRemove'),
    VolumeDriver: text('VolumeDriver'),
    VolumesFrom: strings('VolumesFrom'),
    ConsoleSize: parseConsoleSize(body),
    ...map('Annotations'),
    CapAdd: strings('CapAdd'),
    CapDrop: strings('CapDrop'),
    CgroupnsMode: text('CgroupnsMode'),
    Dns: strings('Dns') ?? [],
    DnsOptions: strings('DnsOptions') ?? [],
    DnsSearch: strings('DnsSearch') ?? [],
    ExtraHosts: strings('ExtraHosts'),
    GroupAdd: strings('GroupAdd'),
    IpcMode: text('IpcMode'),
    Cgroup: text('Cgroup'),
    Links: strings('Links'),
    OomScoreAdj: optionalInteger(body, 'OomScoreAdj') ?? 0,
    PidMode: text('PidMode'),
    Privileged: flag('Privileged'),
    PublishAllPorts: flag('PublishAllPorts'),
    ReadonlyRootfs: flag('ReadonlyRootfs'),
    SecurityOpt: strings('SecurityOpt'),
    ...map('StorageOpt'),
    ...map('Tmpfs'),
    UTSMode: text('UTSMode'),
    UsernsMode: text('UsernsMode'),
    ShmSize: optionalInteger(body, 'ShmSize') ?? 0,
    ...map('Sysctls'),
    Runtime: text('Runtime'),
    Isolation: text('Isolation'),
    ...(mounts.length === 0 ? {} : { Mounts: mounts }),
    MaskedPaths: strings('MaskedPaths'),
    ReadonlyPaths: strings('ReadonlyPaths'),
    ...(init === undefined ? {} : { Init: init }),
  };
}

export function parseRestartPolicy(body: JsonObject): RestartPolicy {
  const policy = optionalObject(body, 'RestartPolicy') ?? {};
  return { Name: optionalString(policy, 'Name') ?? '', MaximumRetryCount: optionalInteger(policy, 'MaximumRetryCount') ?? 0 };
}

/** Rows and columns, as `[rows, columns]`. */
export function parseConsoleSize(body: JsonObject): readonly [number, number] {
  const [rows = 0, columns = 0] = list(body, 'ConsoleSize', (item) => {
    if (typeof item !== 'number' || !Number.isInteger(item) || item < 0 || item > 0xffff)
      throw new StrakeError('InvalidArgument', 'invalid JSON: ConsoleSize must be two integers');
    return item;
  });
  return [rows, columns];
}

function parsePortBindings(body: JsonObject): HostConfig['PortBindings'] {
  const bindings = optionalObject(body, 'PortBindings') ?? {};
  return Object.fromEntries(Object.keys(bindings).map((port) => [port, list(bindings, port, parseBinding)]));
}

function parseBinding(item: unknown): PortBinding {
  const object = asObject(item, 'PortBindings');
  return { HostIp: optionalString(object, 'HostIp') ?? '', HostPort: optionalString(object, 'HostPort') ?? '' };
}

function parseMount(item: unknown): MountConfig {
  const object = asObject(item, 'Mounts');
  const bind = optionalObject(object, 'BindOptions');
  const volume = optionalObject(object, 'VolumeOptions');
  const tmpfs = optionalObject(object, 'TmpfsOptions');
  const image = optionalObject(object, 'ImageOptions');
  return {
    // Anything else is refused by the planner, which names it.
    Type: (optionalString(object, 'Type') ?? '') as MountConfig['Type'],
    Target: optionalString(object, 'Target') ?? '',
    ...present('Source', optionalString(object, 'Source')),
    ...present('ReadOnly', optionalBoolean(object, 'ReadOnly')),
    ...(bind === undefined ? {} : { BindOptions: parseBindOptions(bind) }),
    ...(volume === undefined ? {} : { VolumeOptions: parseVolumeOptions(volume) }),
    ...(image === undefined ? {} : { ImageOptions: present('Subpath', optionalString(image, 'Subpath')) }),
    ...(tmpfs === undefined
      ? {}
      : { TmpfsOptions: { ...present('SizeBytes', optionalInteger(tmpfs, 'SizeBytes')), ...present('Mode', optionalInteger(tmpfs, 'Mode')) } }),
  };
}

function parseBindOptions(options: JsonObject): NonNullable<MountConfig['BindOptions']> {
  const flag = <K extends string>(name: K) => present(name, optionalBoolean(options, name));
  return {
    ...present('Propagation', optionalString(options, 'Propagation')),
    ...flag('NonRecursive'),
    ...flag('CreateMountpoint'),
    ...flag('ReadOnlyNonRecursive'),
    ...flag('ReadOnlyForceRecursive'),
  };
}

function parseVolumeOptions(options: JsonObject): NonNullable<MountConfig['VolumeOptions']> {
  const driver = optionalObject(options, 'DriverConfig');
  return {
    ...present('NoCopy', optionalBoolean(options, 'NoCopy')),
    ...present('Labels', optionalStringMap(options, 'Labels')),
    ...present('Subpath', optionalString(options, 'Subpath')),
    ...(driver === undefined
      ? {}
      : { DriverConfig: { ...present('Name', optionalString(driver, 'Name')), ...present('Options', optionalStringMap(driver, 'Options')) } }),
  };
}

function present<K extends string, V>(name: K, value: V | undefined): { readonly [P in K]?: V } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [P in K]?: V };
}
