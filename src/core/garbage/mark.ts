import { readTarget } from '../images/local/read-target.ts';
import { type MetadataDatabase, numberOf, type Row, readableLabelsOf, textOf } from '../metadata/index.ts';
import { backReferencesOf, gcLabels, isExpired, isRoot, type Node, referencesOf } from './reference-labels.ts';

export interface MarkOptions {
  readonly db: MetadataDatabase;
  /** Names the snapshotter in labels and leases. */
  readonly snapshotter: string;
  /** Digests and snapshot keys that running work holds. */
  readonly held: Iterable<string>;
  readonly now: Date;
}

/** Everything that is needed, from the roots along the references. Synchronous: nothing can change while it looks. */
export function mark(options: MarkOptions): ReadonlySet<Node> {
  const graph = new Graph(options);
  graph.roots();
  return graph.follow();
}

class Graph {
  readonly #options: MarkOptions;
  readonly #marked = new Set<Node>();
  readonly #left: Node[] = [];
  readonly #backReferences = new Map<Node, Node[]>();
  /** Labels of blobs that say anything of garbage; the others are not read. */
  readonly #blobs: ReadonlyMap<string, Row>;
  readonly #snapshots: ReadonlyMap<string, Row>;
  readonly #snapshotKeys: ReadonlyMap<number, string>;

  constructor(options: MarkOptions) {
    this.#options = options;
    const { db } = options;
    this.#blobs = byName(db.all(`select digest as name, labels from blobs where labels like '%containerd.io/gc.%'`));
    const snapshots = db.all('select id, key as name, parent, parent_key, labels from snapshots');
    this.#snapshots = byName(snapshots);
    this.#snapshotKeys = new Map(snapshots.map((row) => [numberOf(row, 'id'), textOf(row, 'name')]));
    for (const [kind, rows] of [
      ['content', this.#blobs],
      ['snapshot', this.#snapshots],
    ] as const)
      for (const [name, row] of rows) if (mentions(row, 'containerd.io/gc.bref.')) this.#refersBack(row, `${kind} ${name}`);
  }

  roots(): void {
    const { db, held, now, snapshotter } = this.#options;
    for (const name of held) this.#reach(`content ${name}`, `snapshot ${name}`);
    for (const row of db.all('select name, labels from images')) {
      const node: Node = `image ${textOf(row, 'name')}`;
      if (!isExpired(readableLabelsOf(row), now)) this.#reach(node);
      for (const back of backReferencesOf(readableLabelsOf(row), snapshotter))
        this.#backReferences.set(back, [...(this.#backReferences.get(back) ?? []), node]);
    }
    for (const row of db.all('select id, snapshot_key, labels from containers'))
      this.#reach(`container ${textOf(row, 'id')}`, `snapshot ${textOf(row, 'snapshot_key')}`, ...referencesOf(readableLabelsOf(row), snapshotter));
    for (const [digest, row] of this.#blobs) if (mentions(row, gcLabels.root) && isRoot(readableLabelsOf(row))) this.#reach(`content ${digest}`);
    for (const [key, row] of this.#snapshots) if (mentions(row, gcLabels.root) && isRoot(readableLabelsOf(row))) this.#reach(`snapshot ${key}`);
    this.#leases();
  }

  #refersBack(row: Row, node: Node): void {
    for (const back of backReferencesOf(readableLabelsOf(row), this.#options.snapshotter))
      this.#backReferences.set(back, [...(this.#backReferences.get(back) ?? []), node]);
  }

  /** Marks what the marked refer to. */
  follow(): ReadonlySet<Node> {
    for (let node = this.#left.pop(); node !== undefined; node = this.#left.pop()) this.#reach(...this.#referencesOf(node));
    return this.#marked;
  }

  #leases(): void {
    const { db, now, snapshotter } = this.#options;
    for (const lease of db.all('select id, labels from leases')) {
      const labels = readableLabelsOf(lease);
      if (isExpired(labels, now)) continue;
      const isFlat = Object.hasOwn(labels, gcLabels.flat);
      for (const row of db.all('select type, resource from lease_resources where lease = ?', textOf(lease, 'id'))) {
        const node = leasedNode(textOf(row, 'type'), textOf(row, 'resource'), snapshotter);
        if (node === undefined) continue;
        if (isFlat) this.#markFlat(node);
        else this.#reach(node);
      }
    }
  }

  /** The thing itself, the snapshots below a snapshot, the target of an image: what it cannot be without. */
  #markFlat(node: Node): void {
    for (let next: Node | undefined = node; next !== undefined; next = this.#flatReferenceOf(next)) this.#marked.add(next);
  }

  #flatReferenceOf(node: Node): Node | undefined {
    const { kind, name } = split(node);
    if (kind === 'image') return this.#targetOf(name);
    return kind === 'snapshot' ? this.#parentOf(name) : undefined;
  }

  #reach(...nodes: readonly Node[]): void {
    for (const node of nodes) {
      if (this.#followed.has(node)) continue;
      this.#followed.add(node);
      this.#marked.add(node);
      this.#left.push(node);
    }
  }

  /** A node that was only marked flat may still be reached in full. */
  readonly #followed = new Set<Node>();

  #referencesOf(node: Node): Node[] {
    const { kind, name } = split(node);
    const references = [...(this.#backReferences.get(node) ?? []), ...this.#labelReferences(kind, name)];
    const own = kind === 'ingest' ? this.#expectedOf(name) : this.#flatReferenceOf(node);
    return own === undefined ? references : [...references, own];
  }

  #labelReferences(kind: string, name: string): Node[] {
    const { db, snapshotter } = this.#options;
    const row =
      kind === 'content'
        ? this.#blobs.get(name)
        : kind === 'snapshot'
          ? this.#snapshots.get(name)
          : kind === 'image'
            ? db.get('select labels from images where name = ?', name)
            : undefined;
    return row === undefined ? [] : referencesOf(readableLabelsOf(row), snapshotter);
  }

  #targetOf(image: string): Node | undefined {
    const target = readTarget(this.#options.db.get('select target from images where name = ?', image)?.['target']);
    return target && `content ${target.digest}`;
  }

  /** By the key, which stays right when the parent's record is damaged; a parent without that key is found by its number. */
  #parentOf(key: string): Node | undefined {
    const { parent, parent_key: parentKey } = this.#snapshots.get(key) ?? {};
    if (typeof parentKey === 'string' && this.#snapshots.has(parentKey)) return `snapshot ${parentKey}`;
    const found = typeof parent === 'number' ? this.#snapshotKeys.get(parent) : undefined;
    return found === undefined ? undefined : `snapshot ${found}`;
  }

  #expectedOf(ref: string): Node | undefined {
    const expected = this.#options.db.get('select expected from ingests where ref = ?', ref)?.['expected'];
    return typeof expected === 'string' ? `content ${expected}` : undefined;
  }
}

function byName(rows: readonly Row[]): ReadonlyMap<string, Row> {
  return new Map(rows.map((row) => [textOf(row, 'name'), row]));
}

/** To look at the text is much cheaper than to take the labels of thousands of blobs apart. */
function mentions(row: Row, label: string): boolean {
  return textOf(row, 'labels').includes(label);
}

function split(node: Node): { readonly kind: string; readonly name: string } {
  const space = node.indexOf(' ');
  return { kind: node.slice(0, space), name: node.slice(space + 1) };
}

/** `snapshots/*` is of whatever snapshotter there is. */
function leasedNode(type: string, resource: string, snapshotter: string): Node | undefined {
  switch (type) {
    case 'content':
      return `content ${resource}`;
    case 'images':
      return `image ${resource}`;
    case 'ingests':
      return `ingest ${resource}`;
    default:
      return type === 'snapshots/*' || type === `snapshots/${snapshotter}` ? `snapshot ${resource}` : undefined;
  }
}
