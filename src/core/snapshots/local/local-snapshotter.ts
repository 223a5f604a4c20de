import { rm } from 'node:fs/promises';
import { StrakeError } from '../../../base/index.ts';
import type { OpenFileTree } from '../../diff/diff.ts';
import { fieldsOf, parseFilters } from '../../filters/index.ts';
import { checkLabels, mergeLabels } from '../../label-change.ts';
import type { LocalScope } from '../../local-scope.ts';
import { checkSnapshotKey } from '../check-snapshot-key.ts';
import type { CommitOptions, SnapshotInfo, SnapshotKind, SnapshotMount, Snapshotter, SnapshotUsage } from '../snapshots.ts';
import type { SnapshotDirectories } from './directories.ts';
import { idMapOf } from './id-map.ts';
import { copyRoot, type Place, type SnapshotLayout } from './layout.ts';
import { measureTree } from './measure-tree.ts';
import { alreadyExists, notFound, type SnapshotRecord, SnapshotRecords } from './records.ts';
import type { UnsyncedSnapshots } from './unsynced.ts';

export interface LocalSnapshotterOptions extends LocalScope {
  readonly layout: SnapshotLayout;
  readonly openFileTree: OpenFileTree;
  /** Of all namespaces and snapshotters: numbers are given once. */
  readonly directories: SnapshotDirectories;
  readonly unsynced: Pick<UnsyncedSnapshots, 'add'>;
}

/** The snapshots of one namespace as numbered directories, and records of them. */
export class LocalSnapshotter implements Snapshotter {
  readonly name: string;
  readonly unpacksApart: boolean;
  readonly #records: SnapshotRecords;
  readonly #directories: SnapshotDirectories;
  readonly #unsynced: LocalSnapshotterOptions['unsynced'];
  readonly #layout: SnapshotLayout;
  readonly #openFileTree: OpenFileTree;
  readonly #now: () => Date;
  readonly #events: LocalScope['events'];
  readonly #removed: () => void;

  constructor({ layout, openFileTree, directories, unsynced, ...scope }: LocalSnapshotterOptions) {
    this.name = layout.name;
    this.unpacksApart = layout.unpacksApart;
    this.#records = new SnapshotRecords(scope, layout.name);
    this.#directories = directories;
    this.#unsynced = unsynced;
    this.#layout = layout;
    this.#openFileTree = openFileTree;
    this.#now = scope.now;
    this.#events = scope.events;
    this.#removed = scope.removed;
  }

  async stat(key: string): Promise<SnapshotInfo> {
    const record = this.#records.find(key);
    if (!this.#directories.exists(record.id)) throw filesGone(key);
    return toInfo(record);
  }

  async prepare(key: string, parent: string | undefined, labels?: Readonly<Record<string, string>>): Promise<SnapshotMount> {
    const mount = await this.#create('active', key, parent, labels);
    this.#events.publish('/snapshot/prepare', { key, parent: parent ?? '', snapshotter: this.name });
    return mount;
  }

  async view(key: string, parent: string | undefined, labels?: Readonly<Record<string, string>>): Promise<SnapshotMount> {
    return await this.#create('view', key, parent, labels);
  }

  async mounts(key: string): Promise<SnapshotMount> {
    const record = this.#records.find(key);
    if (record.kind === 'committed') throw failedPrecondition(key, 'is committed: prepare or view a child of it');
    return this.#mount(record);
  }

  async commit(name: string, key: string, { labels, parent, inheritRoot = false, usage }: CommitOptions = {}): Promise<void> {
    checkSnapshotKey(name);
    checkLabels(labels, 'snapshot.Labels');
    const damaged = this.#damagedId(name);
    if (damaged === undefined && this.#records.has(name)) throw alreadyExists(name);
    const active = this.#active(key);
    if (parent !== undefined && active.parent !== undefined) throw failedPrecondition(key, 'has a parent already');
    const below = parent === undefined ? this.#records.parent(active) : this.#records.committed(parent);
    if (inheritRoot && below) copyRoot(this.#directories.files(below.id), this.#directories.files(active.id));
    const committed: Omit<SnapshotRecord, 'id'> = {
      key: name,
      kind: 'committed',
      parent: below?.key,
      parentId: below?.id,
      labels: labels ?? active.labels,
      createdAt: active.createdAt,
      updatedAt: this.#now(),
      usage,
    };
    if (damaged !== undefined) await this.#heal(damaged, active.id, committed);
    else
      this.#records.transaction(() => {
        if (this.#records.has(name)) throw alreadyExists(name);
        // The parent may have been removed meanwhile.
        if (below) this.#records.committed(below.key);
        this.#records.save({ ...committed, id: active.id });
        this.#unsynced.add(active.id);
      });
    // Only a writable layer needs it; inside is at most an empty directory that overlayfs made.
    await rm(this.#directories.work(damaged ?? active.id), { recursive: true, force: true });
    this.#events.publish('/snapshot/commit', { key, name, snapshotter: this.name });
  }

  async setLabels(key: string, labels: Readonly<Record<string, string>>): Promise<SnapshotInfo> {
    checkLabels(labels, 'snapshot.Labels');
    return toInfo(this.#records.save({ ...this.#records.find(key), labels: mergeLabels({}, labels), updatedAt: this.#now() }));
  }

  async mergeLabels(key: string, labels: Readonly<Record<string, string>>): Promise<SnapshotInfo> {
    return await this.setLabels(key, mergeLabels(this.#records.find(key).labels, labels));
  }

  async usage(key: string): Promise<SnapshotUsage> {
    const record = this.#records.find(key);
    if (record.usage !== undefined) return record.usage;
    // Nothing is its own.
    if (record.kind === 'view') return { sizeBytes: 0, inodes: 0 };
    await using tree = await this.#openFileTree(this.#directories.files(record.id));
    const usage = await measureTree(tree);
    if (record.kind === 'committed' && this.#records.lookup(key)?.id === record.id) this.#records.save({ ...record, usage });
    return usage;
  }

  async remove(key: string): Promise<void> {
    const id = this.#records.idOf(key);
    if (id === undefined) throw notFound(key);
    const child = this.#records.childOf(key);
    if (child !== undefined) throw failedPrecondition(key, `has children, such as ${child}`);
    this.#records.delete(id);
    await this.#directories.remove(id);
    this.#events.publish('/snapshot/remove', { key, snapshotter: this.name });
    this.#removed();
  }

  /** For the garbage collector: forgets these at once, children before their parents; one that has a child stays. */
  sweep(keys: readonly string[]): readonly string[] {
    const gone: number[] = [];
    const swept = this.#records.transaction(() =>
      keys.filter((key) => {
        const id = this.#records.idOf(key);
        if (id === undefined || this.#records.childOf(key) !== undefined) return false;
        this.#records.delete(id);
        gone.push(id);
        return true;
      }),
    );
    for (const id of gone) this.#directories.removeLater(id);
    for (const key of swept) this.#events.publish('/snapshot/remove', { key, snapshotter: this.name });
    return swept;
  }

  async *walk(filters: readonly string[] = []): AsyncIterable<SnapshotInfo> {
    const wanted = parseFilters(filters);
    for (const record of this.#records.all()) {
      const info = toInfo(record);
      if (wanted(fieldsOf({ name: info.key, parent: info.parent ?? '', kind: info.kind }, { labels: info.labels }))) yield info;
    }
  }

  async cleanup(): Promise<void> {
    await this.#directories.cleanup((id) => this.#records.isNumberKnown(id));
  }

  async unpackTarget(key: string): Promise<{ readonly dir: string; readonly whiteouts: 'overlay' | 'plain' }> {
    return { dir: this.#directories.files(this.#active(key).id), whiteouts: this.#layout.whiteouts };
  }

  async #create(kind: SnapshotKind, key: string, parent: string | undefined, labels: Readonly<Record<string, string>> | undefined): Promise<SnapshotMount> {
    checkSnapshotKey(key);
    checkLabels(labels, 'snapshot.Labels');
    if (idMapOf(labels ?? {}) && !this.#layout.mapsIds)
      throw new StrakeError('InvalidArgument', `snapshot ${key}: the snapshotter ${this.name} cannot map ids`, { fields: { layer: 'core', snapshot: key } });
    if (this.#records.has(key)) throw alreadyExists(key);
    const below = parent === undefined ? undefined : this.#records.committed(parent);
    if (below && !this.#directories.exists(below.id)) throw filesGone(below.key);
    if (below && this.#records.chain(below).length > this.#layout.maxBelow)
      throw failedPrecondition(key, `would have more than ${this.#layout.maxBelow} layers below it`);
    const at = this.#now();
    const draft = { key, kind, parent: below?.key, parentId: below?.id, labels: labels ?? {}, createdAt: at, updatedAt: at, usage: undefined };
    const checkBelow = () => {
      if (below && this.#records.committed(below.key).id !== below.id) throw failedPrecondition(below.key, `was replaced while ${key} was made above it`);
    };
    const record = await this.#directories.make(
      async (id) => {
        try {
          await this.#layout.make(this.#place({ ...draft, id }), below && this.#directories.files(below.id));
        } catch (error) {
          checkBelow();
          throw error;
        }
      },
      (id) =>
        this.#records.transaction(() => {
          checkBelow();
          return this.#records.insert({ ...draft, id });
        }),
    );
    return this.#mount(record);
  }

  #active(key: string): SnapshotRecord {
    const record = this.#records.find(key);
    if (record.kind !== 'active') throw failedPrecondition(key, `is ${record.kind}, not active`);
    return record;
  }

  /** Of a committed snapshot that is to be made again: its record, or its files, are not what they were. */
  #damagedId(name: string): number | undefined {
    const damaged = this.#records.damagedId(name);
    if (damaged !== undefined) return damaged;
    const id = this.#records.idOf(name);
    return id === undefined || this.#directories.exists(id) ? undefined : id;
  }

  /** Under its old number, as those above it and the mounts that are there know it; with its old files, which may be in use, as long as there are any. */
  async #heal(damaged: number, active: number, committed: Omit<SnapshotRecord, 'id'>): Promise<void> {
    const hasFiles = this.#directories.exists(damaged);
    if (!hasFiles) await this.#directories.replace(damaged, active);
    this.#records.transaction(() => {
      this.#records.delete(active);
      this.#records.save({ ...committed, id: damaged });
      if (!hasFiles) this.#unsynced.add(damaged);
    });
    if (hasFiles) await this.#directories.remove(active);
  }

  #place({ id, kind, labels }: SnapshotRecord): Place {
    return { files: this.#directories.files(id), work: this.#directories.work(id), kind, idMap: idMapOf(labels) };
  }

  #mount(record: SnapshotRecord): SnapshotMount {
    const [, ...below] = this.#records.chain(record);
    return this.#layout.mount(
      this.#place(record),
      below.map(({ id }) => this.#directories.files(id)),
    );
  }
}

function toInfo({ key, parent, kind, labels, createdAt, updatedAt }: SnapshotRecord): SnapshotInfo {
  return { key, parent, kind, labels, createdAt, updatedAt };
}

function filesGone(key: string): StrakeError {
  return new StrakeError('DataLoss', `snapshot ${key}: its files are gone`, { fields: { layer: 'core', snapshot: key, remedy: 'pull the image again' } });
}

function failedPrecondition(key: string, problem: string): StrakeError {
  return new StrakeError('FailedPrecondition', `snapshot ${key} ${problem}`, { fields: { layer: 'core', snapshot: key } });
}
