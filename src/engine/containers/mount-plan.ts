import { existsSync } from 'node:fs';
import path from 'node:path';
import type { ContainerConfig, HostConfig, MountConfig, MountPoint } from '../../api/docker/index.ts';
import { StrakeError } from '../../base/index.ts';

/** A mount as it was asked for; persisted. */
export type PlannedMount =
  | {
      readonly type: 'bind';
      readonly source: string;
      readonly destination: string;
      readonly mode: string;
      readonly readonly: boolean;
      readonly readonlyRecursive: boolean;
      readonly recursive: boolean;
      readonly propagation: string;
      /** A missing source becomes a directory (`-v`); otherwise it is an error (`--mount`). */
      readonly createSource: boolean;
    }
  | {
      readonly type: 'volume';
      /** Empty: an anonymous one, to be made. */
      readonly name: string;
      readonly destination: string;
      readonly mode: string;
      readonly readonly: boolean;
      readonly copyUp: boolean;
      readonly driver: string;
      readonly labels: Readonly<Record<string, string>>;
    }
  | {
      readonly type: 'tmpfs';
      readonly destination: string;
      readonly options: readonly string[] /** `--mount`, which inspect lists. */;
      readonly listed: boolean;
    }
  | {
      readonly type: 'image';
      /** as it was asked for */
      readonly name: string;
      /** Empty: all of it. */
      readonly subpath: string;
      readonly destination: string;
      readonly readonly: true;
      /** What the name stood for when the container was made. */
      readonly imageId: string;
    };

const propagationModes = new Set(['private', 'rprivate', 'slave', 'rslave', 'shared', 'rshared']);

/** Every mount of the container in Docker's order of precedence. Texts are moby's (volume/mounts). */
export function planMounts(config: Pick<ContainerConfig, 'Volumes'>, hostConfig: Pick<HostConfig, 'Binds' | 'Mounts' | 'Tmpfs'>): readonly PlannedMount[] {
  const byDestination = new Map<string, PlannedMount>();
  const add = (mount: PlannedMount) => {
    if (byDestination.has(mount.destination)) throw new StrakeError('InvalidArgument', `Duplicate mount point: ${mount.destination}`);
    byDestination.set(mount.destination, mount);
  };
  for (const bind of hostConfig.Binds ?? []) add(parseBind(bind));
  for (const mount of hostConfig.Mounts ?? []) add(parseMount(mount));
  for (const [destination, options] of Object.entries(hostConfig.Tmpfs ?? {})) {
    checkTarget(destination, (why) => new StrakeError('InvalidArgument', `invalid tmpfs mount ${JSON.stringify(destination)}: ${why}`));
    add({ type: 'tmpfs', destination: path.posix.normalize(destination), options: options === '' ? [] : options.split(','), listed: false });
  }
  for (const given of Object.keys(config.Volumes ?? {})) {
    const destination = clean(given.startsWith('/') ? given : `/${given}`);
    if (destination === '/') throw new StrakeError('InvalidArgument', "invalid volume: destination can't be '/'");
    if (!byDestination.has(destination)) add({ ...plainVolume, name: '', destination });
  }
  return [...byDestination.values()];
}

/** `Mounts` of inspect and list. */
export function mountPoint(
  mount: PlannedMount,
  volumeDirectory: (name: string) => string,
  imageDirectory: (destination: string) => string,
): MountPoint | undefined {
  switch (mount.type) {
    case 'bind':
      return { Type: 'bind', Source: mount.source, Destination: mount.destination, Mode: mount.mode, RW: !mount.readonly, Propagation: mount.propagation };
    case 'volume':
      return {
        Type: 'volume',
        Name: mount.name,
        Source: volumeDirectory(mount.name),
        Destination: mount.destination,
        Driver: mount.driver === '' ? 'local' : mount.driver,
        Mode: mount.mode,
        RW: !mount.readonly,
        Propagation: '',
      };
    case 'tmpfs':
      return mount.listed
        ? { Type: 'tmpfs', Source: '', Destination: mount.destination, Mode: '', RW: !mount.options.includes('ro'), Propagation: '' }
        : undefined;
    case 'image':
      return {
        Type: 'image',
        Name: mount.name,
        Source: imageDirectory(mount.destination),
        Destination: mount.destination,
        Mode: '',
        RW: false,
        Propagation: 'rprivate',
      };
  }
}

const plainVolume = { type: 'volume', mode: '', readonly: false, copyUp: true, driver: '', labels: {} } as const;

/** `SOURCE:DESTINATION[:MODE]`, or a destination alone. */
function parseBind(raw: string): PlannedMount {
  const invalid = (why?: string) => new StrakeError('InvalidArgument', `invalid volume specification: '${raw}'${why === undefined ? '' : `: ${why}`}`);
  const parts = raw.split(':');
  if (parts.length > 3 || parts[0] === '') throw invalid();
  if (parts.length === 2 && isMode(parts[1] ?? '')) throw invalid();
  const [source, target, mode] = parts.length === 1 ? ['', parts[0] ?? '', ''] : [parts[0] ?? '', parts[1] ?? '', parts[2] ?? ''];
  if (!isMode(mode)) throw new StrakeError('InvalidArgument', `invalid mode: ${mode}`);
  const type = path.isAbsolute(source) ? 'bind' : 'volume';
  checkTarget(target, (why) => invalid(`invalid mount config for type "${type}": ${why}`));
  const options = mode.split(',');
  const readonly = options.includes('ro');
  if (type === 'volume') return { ...plainVolume, name: source, destination: clean(target), mode, readonly, copyUp: !options.includes('nocopy') };
  const propagation = options.find((option) => propagationModes.has(option)) ?? 'rprivate';
  return {
    type,
    source: clean(source),
    destination: clean(target),
    mode,
    readonly,
    readonlyRecursive: false,
    recursive: true,
    propagation,
    createSource: true,
  };
}

function isMode(mode: string): boolean {
  if (mode === '') return true;
  const kinds = mode.split(',').map((option) => {
    if (option === 'ro' || option === 'rw') return 'access';
    if (option === 'z' || option === 'Z') return 'label';
    if (option === 'nocopy') return 'copy';
    if (['consistent', 'cached', 'delegated'].includes(option)) return 'consistency';
    return propagationModes.has(option) ? 'propagation' : undefined;
  });
  return !kinds.includes(undefined) && new Set(kinds).size === kinds.length;
}

function parseMount(mount: MountConfig): PlannedMount {
  const invalid = (why: string) => new StrakeError('InvalidArgument', `invalid mount config for type "${mount.Type}": ${why}`);
  if (mount.Target === '') throw invalid('field Target must not be empty');
  checkTarget(mount.Target, invalid);
  const destination = clean(mount.Target);
  const readonly = mount.ReadOnly ?? false;
  if (mount.Type === 'image') return { type: 'image', ...imageOf(mount, invalid), destination, readonly: true, imageId: '' };
  if (mount.ImageOptions !== undefined) throw invalid('field ImageOptions must not be specified');
  switch (mount.Type) {
    case 'bind': {
      const { Source: source = '', BindOptions: options = {} } = mount;
      if (source === '') throw invalid('field Source must not be empty');
      if (mount.VolumeOptions !== undefined) throw invalid('field VolumeOptions must not be specified');
      if (!path.isAbsolute(source)) throw invalid(`invalid mount path: '${source}' mount path must be absolute`);
      if (options.Propagation && !propagationModes.has(options.Propagation)) throw invalid(`invalid propagation mode: ${options.Propagation}`);
      if (!existsSync(source) && options.CreateMountpoint !== true) throw invalid(`bind source path does not exist: ${source}`);
      return {
        type: 'bind',
        source: clean(source),
        destination,
        mode: '',
        readonly,
        readonlyRecursive: readonly && options.ReadOnlyForceRecursive === true,
        recursive: options.NonRecursive !== true,
        propagation: options.Propagation || 'rprivate',
        createSource: options.CreateMountpoint === true,
      };
    }
    case 'volume': {
      const { Source: source = '', VolumeOptions: options = {} } = mount;
      if (mount.BindOptions !== undefined) throw invalid('field BindOptions must not be specified');
      if (options.Subpath) throw invalid('volume subpaths are not supported');
      if (readonly && source === '') throw invalid('must not set ReadOnly mode when using anonymous volumes');
      return {
        ...plainVolume,
        name: source,
        destination,
        mode: 'z',
        readonly,
        copyUp: options.NoCopy !== true,
        driver: options.DriverConfig?.Name ?? '',
        labels: options.Labels ?? {},
      };
    }
    case 'tmpfs': {
      if (mount.BindOptions !== undefined) throw invalid('field BindOptions must not be specified');
      if (mount.Source) throw invalid('field Source must not be specified');
      const { SizeBytes: size = 0, Mode: mode = 0 } = mount.TmpfsOptions ?? {};
      const options = [...(readonly ? ['ro'] : []), ...(mode === 0 ? [] : [`mode=${mode.toString(8)}`]), ...(size === 0 ? [] : [`size=${size}`])];
      return { type: 'tmpfs', destination, options, listed: true };
    }
    default:
      throw invalid('mount type unknown');
  }
}

function imageOf(mount: MountConfig, invalid: (why: string) => StrakeError): { readonly name: string; readonly subpath: string } {
  const { Source: name = '', ImageOptions: { Subpath: subpath = '' } = {} } = mount;
  for (const field of ['BindOptions', 'VolumeOptions', 'TmpfsOptions'] as const)
    if (mount[field] !== undefined) throw new StrakeError('InvalidArgument', `${field} must not be specified on mount type "image"`);
  if (name === '') throw invalid('field Source must not be empty');
  const normal = path.posix.normalize(subpath);
  if (path.posix.isAbsolute(subpath) || normal === '..' || normal.startsWith('../')) throw invalid('subpath must be a relative path within the volume');
  return { name, subpath };
}

function checkTarget(target: string, invalid: (why: string) => StrakeError): void {
  if (clean(target) === '/') throw invalid("invalid specification: destination can't be '/'");
  if (!path.isAbsolute(target)) throw invalid(`invalid mount path: '${target}' mount path must be absolute`);
}

function clean(given: string): string {
  const normal = path.posix.normalize(given);
  return normal.length > 1 ? normal.replace(/\/$/, '') : normal;
}
