import { setImmediate as nextTurn } from 'node:timers/promises';
import { errorMessage, type Logger } from '../../base/index.ts';
import type { Descriptor } from '../../oci/index.ts';
import { readTarget } from '../images/local/read-target.ts';
import { putPrefix } from '../images/put-blob.ts';
import { type MetadataDatabase, numberOf, type Row, readableLabelsOf, textOf } from '../metadata/index.ts';
import { unpackPrefix } from '../unpack/layer-unpacker.ts';
import type { DocumentLinks } from './document-links.ts';
import type { Leases } from './leases.ts';
import { mark } from './mark.ts';
import { isExpired, type Node } from './reference-labels.ts';

/** Broken-off downloads wait for their next try so long. */
const ingestLifeMs = 24 * 3600_000;
/** Things that are removed at one go: about a millisecond, then others have their turn. */
const batch = 64;

export interface GarbageOptions {
  /** Also active snapshots that no container names: only when no container is being made, as at the daemon's start. */
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

export interface CollectorOptions {
  readonly db: MetadataDatabase;
  readonly content: Sweepable & { sweepIngests(refs: readonly string[]): void; adoptFiles(): Promise<void> };
  readonly snapshots: Sweepable & { readonly name: string };
  readonly links: DocumentLinks;
  readonly leases: Leases;
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
    if (activeSnapshots) await this.#options.content.adoptFiles();
    if (interruptedWork) this.#options.leases.forget();
    const run = new Run(this.#options, activeSnapshots, interruptedWork);
    do {
      await run.link();
      await nextTurn();
    } while (run.step() === 'more');
    this.#options.db.holdReserve();
    return run.report;
  }
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
    const { links, log } = this.#options;
    for (const image of this.#damagedImages()) log.error('the record of an image is damaged: pull it again; no garbage is collected until then', { image });
    for (const { name, target } of this.#unlinkedImages()) {
      const unreadable = await links.link(target, (error) =>
        log.error('an image is damaged: pull it again, or remove it', { image: name, error: errorMessage(error) }),
      );
      for (const digest of unreadable) this.#unreadable.add(digest);
    }
  }

  /** Marks, and removes a batch of the rest. More: there is more, or an image has come that has no labels yet. */
  step(): 'more' | 'done' {
    const { db, snapshots, leases, now } = this.#options;
    return db.transaction(() => {
      // Whatever it is that such an image needs must stay.
      if (this.#damagedImages().length > 0) return 'done';
      if (this.#unlinkedImages().length > 0) return 'more';
      this.#expired('leases', 'id', () => true);
      const marked = mark({ db, snapshotter: snapshots.name, held: leases.held(), now: now() });
      // Something else may still name an image whose time is over.
      this.#expired('images', 'name', (name) => !marked.has(`image ${name}`));
      const isMoreContent = this.#sweepContent(marked);
      if (isMoreContent) return 'more';
      this.#sweepIngests(marked);
      return this.#sweepSnapshots(marked) ? 'more' : 'done';
    });
  }

  #damagedImages(): string[] {
    return this.#options.db
      .all('select name, target from images')
      .filter((row) => readTarget(row['target']) === undefined)
      .map((row) => textOf(row, 'name'));
  }

  #unlinkedImages(): { readonly name: string; readonly target: Descriptor }[] {
    return this.#options.db
      .all('select name, target from images')
      .flatMap((row) => {
        const target = readTarget(row['target']);
        return target === undefined ? [] : [{ name: textOf(row, 'name'), target }];
      })
      .filter(({ target }) => this.#options.links.unlinked(target).some(({ digest }) => !this.#unreadable.has(digest)));
  }

  /** Deletes what has outlived its time. */
  #expired(table: 'leases' | 'images', column: 'id' | 'name', wanted: (name: string) => boolean): void {
    const { db, now } = this.#options;
    for (const row of db.all(`select ${column} as name, labels from ${table} where labels like '%containerd.io/gc.expire%'`))
      if (isExpired(readableLabelsOf(row), now()) && wanted(textOf(row, 'name'))) db.run(`delete from ${table} where ${column} = ?`, textOf(row, 'name'));
  }

  #sweepContent(marked: ReadonlySet<Node>): boolean {
    const { db, content } = this.#options;
    const garbage = db
      .all('select digest from blobs')
      .filter((row) => !marked.has(`content ${textOf(row, 'digest')}`))
      .map((row) => db.get('select digest, size, labels from blobs where digest = ?', textOf(row, 'digest')) ?? row);
    const first = topDown(garbage).slice(0, batch);
    const sizes = new Map(first.map((row) => [textOf(row, 'digest'), numberOf(row, 'size')]));
    for (const digest of content.sweep([...sizes.keys()])) {
      this.#blobs.push(digest);
      this.#freedBytes += sizes.get(digest) ?? 0;
    }
    return garbage.length > batch;
  }

  /** Small blobs never go on, and interrupted downloads not for ever. One that is being written is locked, and stays. */
  #sweepIngests(marked: ReadonlySet<Node>): void {
    const { db, content, now } = this.#options;
    const refs = db
      .all('select ref, updated from ingests')
      .filter((row) => !marked.has(`ingest ${textOf(row, 'ref')}`))
      .filter((row) => this.#interruptedWork || textOf(row, 'ref').startsWith(putPrefix) || now().getTime() - numberOf(row, 'updated') >= ingestLifeMs)
      .map((row) => textOf(row, 'ref'));
    content.sweepIngests(refs);
  }

  /** From the leaves down: a snapshot goes when nothing that stays is above it. */
  #sweepSnapshots(marked: ReadonlySet<Node>): boolean {
    const { db, snapshots } = this.#options;
    const rows = db.all('select id, key, parent, kind from snapshots');
    const children = new Map<unknown, number>();
    for (const { parent } of rows) children.set(parent, (children.get(parent) ?? 0) + 1);
    const byId = new Map(rows.map((row) => [row['id'], row]));
    const leaves = rows.filter(({ id }) => !children.has(id));
    const garbage: string[] = [];
    for (let row = leaves.pop(); row && garbage.length < batch; row = leaves.pop()) {
      if (!this.#isGarbage(row, marked)) continue;
      garbage.push(textOf(row, 'key'));
      const left = (children.get(row['parent']) ?? 1) - 1;
      children.set(row['parent'], left);
      const parent = byId.get(row['parent']);
      if (left === 0 && parent) leaves.push(parent);
    }
    const swept = snapshots.sweep(garbage);
    this.#snapshots.push(...swept);
    return garbage.length === batch && swept.length > 0;
  }

  #isGarbage(row: Row, marked: ReadonlySet<Node>): boolean {
    const key = textOf(row, 'key');
    // What is half unpacked is begun anew: only work that runs needs it.
    if (key.startsWith(unpackPrefix)) return !this.#options.leases.holds(key.slice(unpackPrefix.length));
    return !marked.has(`snapshot ${key}`) && (textOf(row, 'kind') === 'committed' || this.#activeSnapshots);
  }
}

/** Those that nothing in the list refers to first. */
function topDown(rows: readonly Row[]): readonly Row[] {
  const ranks = new Map(rows.map((row) => [textOf(row, 'digest'), 0]));
  const references = rows.map((row) => ({ digest: textOf(row, 'digest'), inner: Object.values(readableLabelsOf(row)).filter((value) => ranks.has(value)) }));
  // An index, a manifest, a configuration: deeper there is nothing in an image.
  for (let depth = 0; depth < 3; depth++)
    for (const { digest, inner } of references)
      for (const value of inner) ranks.set(value, Math.max(ranks.get(value) ?? 0, Math.min((ranks.get(digest) ?? 0) + 1, 3)));
  return rows.toSorted((a, b) => (ranks.get(textOf(a, 'digest')) ?? 0) - (ranks.get(textOf(b, 'digest')) ?? 0));
}
