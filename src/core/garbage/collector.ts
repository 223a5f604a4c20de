import { setImmediate as nextTurn } from 'node:timers/promises';
import { errorMessage, type Logger } from '../../base/index.ts';
import type { Descriptor } from '../../oci/index.ts';
import type { EventBus } from '../events/events.ts';
import { readTarget } from '../images/local/read-target.ts';
import { putPrefix } from '../images/put-blob.ts';
import { type MetadataDatabase, numberOf, type Row, readableLabelsOf, textOf } from '../metadata/index.ts';
import { viewPrefix } from '../snapshots/snapshot-view.ts';
import { unpackPrefix } from '../unpack/layer-unpacker.ts';
import type { DocumentLinks } from './document-links.ts';
import type { Leases } from './leases.ts';
import { contentNode, mark, snapshotNode } from './mark.ts';
import { isExpired, type Node } from './reference-labels.ts';

/** Broken-off downloads wait for their next try so long. */
const ingestLifeMs = 24 * 3600_000;
/** Things that are removed at one go: about a millisecond, then others have their turn. */
const batch = 64;

export interface GarbageOptions {
  /**
   * Also active snapshots of the Engine that no container names: only when no container is being made, as at the daemon's start. In other namespaces, whose
   * users hold by leases what they make, they are garbage at any time.
   */
  readonly activeSnapshots?: boolean;
  /** Also what interrupted work, such as a pull that was cancelled, has left for its next try. */
  readonly interruptedWork?: boolean;
}

export interface GarbageReport {
  readonly blobs: readonly string[];
  readonly snapshots: readonly string[];
  /** compressed bytes of the blobs */
  readonly freedBytes: number;
}

export type CollectGarbage = (options?: GarbageOptions) => Promise<GarbageReport>;

/** What the collector takes from a store: all at once, without letting anybody in between; files may go later. */
export interface Sweepable {
  /** Forgets these, as far as they are there, and answers which it did. */
  sweep(names: readonly string[]): readonly string[];
}

/** What the collector works with in one namespace. */
export interface CollectableNamespace {
  readonly content: Sweepable & { sweepIngests(refs: readonly string[]): void; adoptFiles(): Promise<void> };
  /** Undefined for one that is not known here: its snapshots stay. */
  snapshotter(name: string): Sweepable | undefined;
  readonly links: DocumentLinks;
  readonly leases: Leases;
  readonly events: Pick<EventBus, 'publish'>;
}

export interface CollectorOptions {
  readonly db: MetadataDatabase;
  /** Whose active snapshots are of the Engine. */
  readonly ownNamespace: string;
  readonly inNamespace: (name: string) => CollectableNamespace;
  /** Of running work. */
  readonly snapshotter: string;
  readonly log: Logger;
  readonly now: () => Date;
}

/**
 * Removes what no image, container, lease, label or running work needs. It runs beside all of them: what is marked and what is removed is decided in one
 * step that nobody gets in between, a batch at a time. Content goes before what it refers to, and before snapshots, so that whoever holds a document
 * that is still there holds all below it.
 */
export class GarbageCollector {
  readonly #options: CollectorOptions;
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: CollectorOptions) {
    this.#options = options;
  }

  /** One collection at a time. */
  async collect(options: GarbageOptions = {}): Promise<GarbageReport> {
    const before = this.#running;
    const run = (async () => {
      await before;
      return await this.#collect(options);
    })();
    this.#running = run.catch(() => undefined);
    return await run;
  }

  async #collect({ activeSnapshots = false, interruptedWork = false }: GarbageOptions): Promise<GarbageReport> {
    const { inNamespace, ownNamespace } = this.#options;
    if (activeSnapshots) await inNamespace(ownNamespace).content.adoptFiles();
    if (interruptedWork) for (const namespace of this.#namespaces()) inNamespace(namespace).leases.forget();
    const run = new Run(this.#options, activeSnapshots, interruptedWork);
    do {
      await run.link();
      await nextTurn();
    } while (run.step() === 'more');
    this.#options.db.holdReserve();
    return run.report;
  }

  #namespaces(): string[] {
    return namesOf(this.#options.db);
  }
}

function namesOf(db: MetadataDatabase): string[] {
  return db.all('select name from namespaces').map((row) => textOf(row, 'name'));
}

class Run {
  readonly #options: CollectorOptions;
  readonly #activeSnapshots: boolean;
  readonly #interruptedWork: boolean;
  readonly #blobs: string[] = [];
  readonly #snapshots: string[] = [];
  /** Documents that cannot be read: they keep nothing alive. */
  readonly #unreadable = new Set<string>();
  #freedBytes = 0;

  constructor(options: CollectorOptions, activeSnapshots: boolean, interruptedWork: boolean) {
    this.#options = options;
    this.#activeSnapshots = activeSnapshots;
    this.#interruptedWork = interruptedWork;
  }

  get report(): GarbageReport {
    return { blobs: this.#blobs, snapshots: this.#snapshots, freedBytes: this.#freedBytes };
  }

  /** Labels the documents of images that have no labels yet. */
  async link(): Promise<void> {
    const { inNamespace, log } = this.#options;
    for (const image of this.#damagedImages()) log.error('the record of an image is damaged: pull it again; no garbage is collected until then', { image });
    for (const { namespace, name, target } of this.#unlinkedImages()) {
      const unreadable = await inNamespace(namespace).links.link(target, (error) =>
        log.error('an image is damaged: pull it again, or remove it', { image: name, error: errorMessage(error) }),
      );
      for (const digest of unreadable) this.#unreadable.add(`${namespace} ${digest}`);
    }
  }

  /** Marks, and removes a batch of the rest. More: there is more, or an image has come that has no labels yet. */
  step(): 'more' | 'done' {
    const { db, snapshotter, now } = this.#options;
    return db.transaction(() => {
      // Whatever it is that such an image needs must stay.
      if (this.#damagedImages().length > 0) return 'done';
      if (this.#unlinkedImages().length > 0) return 'more';
      this.#expired('leases', 'id', () => true);
      const marked = mark({ db, snapshotter, held: this.#held(), now: now() });
      // Something else may still name an image whose time is over.
      for (const { namespace, name } of this.#expired('images', 'name', (image) => !marked.has(image)))
        this.#options.inNamespace(namespace).events.publish('/images/delete', { name });
      const isMoreContent = this.#sweepContent(marked);
      if (isMoreContent) return 'more';
      this.#sweepIngests(marked);
      return this.#sweepSnapshots(marked) ? 'more' : 'done';
    });
  }

  *#held(): Generator<{ readonly namespace: string; readonly name: string }> {
    const { db, inNamespace } = this.#options;
    for (const namespace of namesOf(db)) for (const name of inNamespace(namespace).leases.held()) yield { namespace, name };
  }

  #damagedImages(): string[] {
    return this.#options.db
      .all('select name, target from images')
      .filter((row) => readTarget(row['target']) === undefined)
      .map((row) => textOf(row, 'name'));
  }

  #unlinkedImages(): { readonly namespace: string; readonly name: string; readonly target: Descriptor }[] {
    const { db, inNamespace } = this.#options;
    return db
      .all('select namespace, name, target from images')
      .flatMap((row) => {
        const target = readTarget(row['target']);
        return target === undefined ? [] : [{ namespace: textOf(row, 'namespace'), name: textOf(row, 'name'), target }];
      })
      .filter(({ namespace, target }) =>
        inNamespace(namespace)
          .links.unlinked(target)
          .some(({ digest }) => !this.#unreadable.has(`${namespace} ${digest}`)),
      );
  }

  /** Deletes what has outlived its time; answers what that was. */
  #expired(table: 'leases' | 'images', column: 'id' | 'name', wanted: (image: Node) => boolean): { readonly namespace: string; readonly name: string }[] {
    const { db, now } = this.#options;
    return db
      .all(`select namespace, ${column} as name, labels from ${table} where labels like '%containerd.io/gc.expire%'`)
      .filter((row) => isExpired(readableLabelsOf(row), now()))
      .map((row) => ({ namespace: textOf(row, 'namespace'), name: textOf(row, 'name') }))
      .filter(({ namespace, name }) => wanted(`${namespace} image ${name}`))
      .filter(({ namespace, name }) => db.run(`delete from ${table} where namespace = ? and ${column} = ?`, namespace, name).changes > 0);
  }

  #sweepContent(marked: ReadonlySet<Node>): boolean {
    const { db, inNamespace } = this.#options;
    const garbage = db
      .all('select namespace, digest from blobs')
      .filter((row) => !marked.has(contentNode(row)))
      .map((row) => db.get('select * from blobs where namespace = ? and digest = ?', textOf(row, 'namespace'), textOf(row, 'digest')) ?? row);
    const first = topDown(garbage).slice(0, batch);
    for (const [namespace, rows] of Map.groupBy(first, (row) => textOf(row, 'namespace'))) {
      const sizes = new Map(rows.map((row) => [textOf(row, 'digest'), numberOf(row, 'size')]));
      for (const digest of inNamespace(namespace).content.sweep([...sizes.keys()])) {
        this.#blobs.push(digest);
        if (db.get('select 1 from blobs where digest = ? limit 1', digest) === undefined) this.#freedBytes += sizes.get(digest) ?? 0;
      }
    }
    return garbage.length > batch;
  }

  /** Small blobs never go on, and interrupted downloads not for ever. One that is being written is locked, and stays. */
  #sweepIngests(marked: ReadonlySet<Node>): void {
    const { db, inNamespace, now } = this.#options;
    const garbage = db
      .all('select namespace, ref, updated from ingests')
      .filter((row) => !marked.has(`${textOf(row, 'namespace')} ingest ${textOf(row, 'ref')}`))
      .filter((row) => this.#interruptedWork || textOf(row, 'ref').startsWith(putPrefix) || now().getTime() - numberOf(row, 'updated') >= ingestLifeMs);
    for (const [namespace, rows] of Map.groupBy(garbage, (row) => textOf(row, 'namespace')))
      inNamespace(namespace).content.sweepIngests(rows.map((row) => textOf(row, 'ref')));
  }

  /** From the leaves down: a snapshot goes when nothing that stays is above it. */
  #sweepSnapshots(marked: ReadonlySet<Node>): boolean {
    const { db, inNamespace } = this.#options;
    const rows = db.all('select id, namespace, snapshotter, key, parent, kind from snapshots');
    const children = new Map<unknown, number>();
    for (const { parent } of rows) children.set(parent, (children.get(parent) ?? 0) + 1);
    const byId = new Map(rows.map((row) => [row['id'], row]));
    const leaves = rows.filter(({ id }) => !children.has(id));
    const garbage: Row[] = [];
    for (let row = leaves.pop(); row && garbage.length < batch; row = leaves.pop()) {
      if (!this.#isGarbage(row, marked)) continue;
      garbage.push(row);
      const left = (children.get(row['parent']) ?? 1) - 1;
      children.set(row['parent'], left);
      const parent = byId.get(row['parent']);
      if (left === 0 && parent) leaves.push(parent);
    }
    let swept = 0;
    for (const same of Map.groupBy(garbage, (row) => `${textOf(row, 'namespace')} ${textOf(row, 'snapshotter')}`).values()) {
      const [first] = same;
      if (first === undefined) continue;
      const keys = inNamespace(textOf(first, 'namespace'))
        .snapshotter(textOf(first, 'snapshotter'))
        ?.sweep(same.map((row) => textOf(row, 'key')));
      this.#snapshots.push(...(keys ?? []));
      swept += keys?.length ?? 0;
    }
    return garbage.length === batch && swept > 0;
  }

  #isGarbage(row: Row, marked: ReadonlySet<Node>): boolean {
    const { inNamespace, ownNamespace } = this.#options;
    const [key, namespace] = [textOf(row, 'key'), textOf(row, 'namespace')];
    if (marked.has(snapshotNode(row))) return false;
    // What is half unpacked is begun anew: only work that runs needs it, here, or with a lease elsewhere.
    if (key.startsWith(unpackPrefix)) return !inNamespace(namespace).leases.holds(key.slice(unpackPrefix.length));
    return textOf(row, 'kind') === 'committed' || this.#activeSnapshots || !(namespace === ownNamespace || key.startsWith(viewPrefix));
  }
}

/** Those that nothing in the list refers to first. */
function topDown(rows: readonly Row[]): readonly Row[] {
  const ranks = new Map(rows.map((row) => [textOf(row, 'digest'), 0]));
  // A digest names the same content in every namespace.
  const references = rows.map((row) => ({ digest: textOf(row, 'digest'), inner: Object.values(readableLabelsOf(row)).filter((value) => ranks.has(value)) }));
  // An index, a manifest, a configuration: deeper there is nothing in an image.
  for (let depth = 0; depth < 3; depth++)
    for (const { digest, inner } of references)
      for (const value of inner) ranks.set(value, Math.max(ranks.get(value) ?? 0, Math.min((ranks.get(digest) ?? 0) + 1, 3)));
  return rows.toSorted((a, b) => (ranks.get(textOf(a, 'digest')) ?? 0) - (ranks.get(textOf(b, 'digest')) ?? 0));
}
