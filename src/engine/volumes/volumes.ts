/** Named volumes of the `local` driver: `DIRECTORY/NAME/_data` and beside it what is known of it. */
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Volume } from '../../api/docker/index.ts';
import { isCode, randomId, StrakeError } from '../../base/index.ts';
import type { EngineEvents } from '../events/index.ts';
import { treeSizeBytes } from './tree-size.ts';
import { checkVolumeName } from './volume-name.ts';
import { writeDurably } from './write-durably.ts';

export interface VolumesOptions {
  readonly directory: string;
  readonly events: Pick<EngineEvents, 'publish'>;
  readonly now?: () => Date;
}

export interface NewVolume {
  /** Without a name the volume is anonymous: a random one, removed with its container. */
  readonly name?: string;
  readonly driver?: string;
  readonly options?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

/** `recorded` in volume.json. */
interface VolumeRecord {
  readonly createdAt: string;
  readonly labels: Readonly<Record<string, string>>;
}

export const anonymousLabel = 'com.docker.volume.anonymous';

export class Volumes {
  private readonly options: VolumesOptions;
  private readonly records = new Map<string, VolumeRecord>();
  /** Container ids by volume. */
  private readonly users = new Map<string, Set<string>>();

  private constructor(options: VolumesOptions) {
    this.options = options;
  }

  /** Reads what is there; a directory without a readable record is still a volume, for its data may be wanted. */
  static async open(options: VolumesOptions): Promise<Volumes> {
    const volumes = new Volumes(options);
    await mkdir(options.directory, { recursive: true, mode: 0o711 });
    for (const entry of await readdir(options.directory, { withFileTypes: true })) {
      const at = path.join(options.directory, entry.name);
      if (entry.name.startsWith(removedPrefix)) await rm(at, { recursive: true, force: true });
      else if (entry.isDirectory()) volumes.records.set(entry.name, await readRecord(at));
    }
    return volumes;
  }

  /** Makes it, or answers the one of this name that is there. */
  async create(volume: NewVolume): Promise<Volume> {
    if ((volume.driver ?? 'local') !== 'local' && volume.driver !== '')
      throw new StrakeError('NotFound', `error looking up volume plugin ${volume.driver}: plugin "${volume.driver}" not found`);
    const anonymous = volume.name === undefined || volume.name === '';
    const name = anonymous ? randomId() : (volume.name ?? '');
    checkVolumeName(name);
    const [unknownOption] = Object.keys(volume.options ?? {});
    if (unknownOption !== undefined) throw new StrakeError('InvalidArgument', `create ${name}: invalid option: ${JSON.stringify(unknownOption)}`);
    const existing = this.records.get(name);
    if (existing !== undefined) return this.describe(name, existing);
    const labels = { ...volume.labels, ...(anonymous ? { [anonymousLabel]: '' } : {}) };
    const record = { createdAt: this.now(), labels };
    this.records.set(name, record);
    try {
      await mkdir(this.mountpoint(name), { recursive: true, mode: 0o755 });
      await writeDurably(path.join(this.options.directory, name, recordFile), JSON.stringify(record));
    } catch (error) {
      this.records.delete(name);
      throw error;
    }
    this.options.events.publish({ type: 'volume', action: 'create', id: name, attributes: { driver: 'local' } });
    return this.describe(name, record);
  }

  list(): readonly Volume[] {
    return [...this.records].map(([name, record]) => this.describe(name, record));
  }

  get(name: string): Volume {
    const record = this.records.get(name);
    if (record === undefined) throw new StrakeError('NotFound', `get ${name}: no such volume`);
    return this.describe(name, record);
  }

  /** Where its files are, on the host. */
  mountpoint(name: string): string {
    return path.join(this.options.directory, name, '_data');
  }

  /** Says that a container has it among its mounts, which keeps it from being removed; idempotent. Also after a restart of the daemon. */
  acquire(name: string, containerId: string): void {
    this.get(name);
    const users = this.users.get(name) ?? new Set();
    this.users.set(name, users.add(containerId));
  }

  release(name: string, containerId: string): void {
    this.users.get(name)?.delete(containerId);
  }

  usersOf(name: string): readonly string[] {
    return [...(this.users.get(name) ?? [])];
  }

  isAnonymous(name: string): boolean {
    return Object.hasOwn(this.records.get(name)?.labels ?? {}, anonymousLabel);
  }

  /** FailedPrecondition while a container has it. `force` accepts that there is none. */
  async remove(name: string, options: { readonly force?: boolean } = {}): Promise<void> {
    if (!this.records.has(name)) {
      if (options.force === true) return;
      throw new StrakeError('NotFound', `get ${name}: no such volume`);
    }
    const users = this.usersOf(name);
    if (users.length > 0) throw new StrakeError('FailedPrecondition', `remove ${name}: volume is in use - [${users.join(', ')}]`);
    const removed = path.join(this.options.directory, `${removedPrefix}${randomId()}`);
    await rename(path.join(this.options.directory, name), removed);
    this.records.delete(name);
    this.users.delete(name);
    await rm(removed, { recursive: true, force: true });
    this.options.events.publish({ type: 'volume', action: 'destroy', id: name, attributes: { driver: 'local' } });
  }

  /** Removes the unused ones for which `wanted` holds. */
  async prune(wanted: (volume: Volume) => boolean): Promise<{ readonly names: readonly string[]; readonly sizeBytes: number }> {
    const names: string[] = [];
    let sizeBytes = 0;
    for (const volume of this.list()) {
      if (this.usersOf(volume.Name).length > 0 || !wanted(volume)) continue;
      const size = await this.sizeBytes(volume.Name);
      try {
        await this.remove(volume.Name);
      } catch (error) {
        // Taken, or removed by somebody else, meanwhile.
        if (isCode(error, 'FailedPrecondition') || isCode(error, 'NotFound')) continue;
        throw error;
      }
      names.push(volume.Name);
      sizeBytes += size;
    }
    this.options.events.publish({ type: 'volume', action: 'prune', id: '', attributes: { reclaimed: String(sizeBytes) } });
    return { names, sizeBytes };
  }

  async sizeBytes(name: string): Promise<number> {
    return await treeSizeBytes(this.mountpoint(name));
  }

  private describe(name: string, { createdAt, labels }: VolumeRecord): Volume {
    return {
      CreatedAt: createdAt,
      Driver: 'local',
      Labels: Object.keys(labels).length === 0 ? null : labels,
      Mountpoint: this.mountpoint(name),
      Name: name,
      Options: null,
      Scope: 'local',
    };
  }

  /** Docker tells seconds here. */
  private now(): string {
    return (this.options.now?.() ?? new Date()).toISOString().replace(/\.\d+Z$/, 'Z');
  }
}

const recordFile = 'volume.json';
/** Not a volume's name, which begins with a letter or digit. */
const removedPrefix = '.removed-';

async function readRecord(directory: string): Promise<VolumeRecord> {
  try {
    return JSON.parse(await readFile(path.join(directory, recordFile), 'utf8')) as VolumeRecord;
  } catch {
    return { createdAt: new Date(0).toISOString(), labels: {} };
  }
}
