import { readTarget } from '../images/local/read-target.ts';
import { type MetadataDatabase, numberOf, type Row, readableLabelsOf, textOf } from '../metadata/index.ts';
import { backReferencesOf, gcLabels, isExpired, isRoot, type Labels, type Node, referencesOf } from './reference-labels.ts';

export interface MarkOptions {
  readonly db: MetadataDatabase;
  /** The one of running work, and of leases that name none. */
  readonly snapshotter: string;
  /** Digests and snapshot keys that running work holds. */
  readonly held: Iterable<{ readonly namespace: string; readonly name: string }>;
  readonly now: Date;
}

/** Everything that is needed, from the roots along the references. Synchronous: nothing can change while it looks. */
export function mark(options: MarkOptions): ReadonlySet<Node> {
  const graph = new Graph(options);
  graph.roots();
  return graph.follow();
}

/** Of all namespaces; no reference leads from one into another. */
class Graph {
  readonly #options: MarkOptions;
  readonly #marked = new Set<Node>();
  /** A node that was only marked flat may still be reached in full. */
  readonly #followed = new Set<Node>();
  readonly #left: Node[] = [];
  readonly #backReferences = new Map<Node, Node[]>();
  /** Labels of blobs that say anything of garbage; the others are not read. */
  readonly #blobs: ReadonlyMap<Node, Row>;
  readonly #snapshots: ReadonlyMap<Node, Row>;
  readonly #snapshotNodes: ReadonlyMap<number, Node>;

  constructor(options: MarkOptions) {
    this.#options = options;
    const { db } = options;
    this.#blobs = byNode(db.all(`select namespace, digest, labels from blobs where labels like '%containerd.io/gc.%'`), contentNode);
    const snapshots = db.all('select id, namespace, snapshotter, key, parent, parent_key, labels from snapshots');
    this.#snapshots = byNode(snapshots, snapshotNode);
    this.#snapshotNodes = new Map(snapshots.map((row) => [numberOf(row, 'id'), snapshotNode(row)]));
    for (const rows of [this.#blobs, this.#snapshots]) for (const [node, row] of rows) if (mentions(row, 'containerd.io/gc.bref.')) this.#refersBack(row, node);
  }

  roots(): void {
    const { db, held, now, snapshotter } = this.#options;
    for (const { namespace, name } of held) this.#reach(`${namespace} content ${name}`, `${namespace} snapshot/${snapshotter} ${name}`);
    for (const row of db.all('select namespace, name, labels from images')) {
      const node: Node = `${textOf(row, 'namespace')} image ${textOf(row, 'name')}`;
      if (!isExpired(readableLabelsOf(row), now)) this.#reach(node);
      this.#refersBack(row, node);
    }
    for (const row of db.all('select namespace, id, snapshotter, snapshot_key, labels from containers')) {
      const namespace = textOf(row, 'namespace');
      this.#reach(
        `${namespace} container ${textOf(row, 'id')}`,
        `${namespace} snapshot/${textOf(row, 'snapshotter')} ${textOf(row, 'snapshot_key')}`,
        ...referencesOf(readableLabelsOf(row), namespace),
      );
    }
    for (const row of db.all('select namespace, labels from sandboxes')) this.#reach(...referencesOf(readableLabelsOf(row), textOf(row, 'namespace')));
    for (const rows of [this.#blobs, this.#snapshots])
      for (const [node, row] of rows) if (mentions(row, gcLabels.root) && isRoot(readableLabelsOf(row))) this.#reach(node);
    this.#leases();
  }

  #refersBack(row: Row, node: Node): void {
    for (const back of backReferencesOf(readableLabelsOf(row), textOf(row, 'namespace')))
      this.#backReferences.set(back, [...(this.#backReferences.get(back) ?? []), node]);
  }

  /** Marks what the marked refer to. */
  follow(): ReadonlySet<Node> {
    for (let node = this.#left.pop(); node !== undefined; node = this.#left.pop()) this.#reach(...this.#referencesOf(node));
    return this.#marked;
  }

  #leases(): void {
    const { db, now, snapshotter } = this.#options;
    for (const lease of db.all('select namespace, id, labels from leases')) {
      const labels = readableLabelsOf(lease);
      if (isExpired(labels, now)) continue;
      const isFlat = Object.hasOwn(labels, gcLabels.flat);
      const namespace = textOf(lease, 'namespace');
      for (const row of db.all('select type, resource from lease_resources where namespace = ? and lease = ?', namespace, textOf(lease, 'id'))) {
        const node = leasedNode(namespace, textOf(row, 'type'), textOf(row, 'resource'), snapshotter);
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
    const { kind, namespace, name } = split(node);
    if (kind === 'image') return this.#targetOf(namespace, name);
    return kind.startsWith('snapshot/') ? this.#parentOf(node, namespace, kind as SnapshotKind) : undefined;
  }

  #reach(...nodes: readonly Node[]): void {
    for (const node of nodes) {
      if (this.#followed.has(node)) continue;
      this.#followed.add(node);
      this.#marked.add(node);
      this.#left.push(node);
    }
  }

  #referencesOf(node: Node): Node[] {
    const { kind, namespace, name } = split(node);
    const references = [...(this.#backReferences.get(node) ?? []), ...referencesOf(this.#labelsOf(node), namespace)];
    const own = kind === 'ingest' ? this.#expectedOf(namespace, name) : this.#flatReferenceOf(node);
    return own === undefined ? references : [...references, own];
  }

  #labelsOf(node: Node): Labels {
    const { kind, namespace, name } = split(node);
    const row =
      kind === 'image'
        ? this.#options.db.get('select labels from images where namespace = ? and name = ?', namespace, name)
        : (this.#blobs.get(node) ?? this.#snapshots.get(node));
    return row === undefined ? {} : readableLabelsOf(row);
  }

  #targetOf(namespace: string, image: string): Node | undefined {
    const target = readTarget(this.#options.db.get('select target from images where namespace = ? and name = ?', namespace, image)?.['target']);
    return target && `${namespace} content ${target.digest}`;
  }

  /** By the key, which stays right when the parent's record is damaged; a parent without that key is found by its number. */
  #parentOf(node: Node, namespace: string, kind: SnapshotKind): Node | undefined {
    const { parent, parent_key: parentKey } = this.#snapshots.get(node) ?? {};
    const byKey: Node | undefined = typeof parentKey === 'string' ? `${namespace} ${kind} ${parentKey}` : undefined;
    if (byKey !== undefined && this.#snapshots.has(byKey)) return byKey;
    return typeof parent === 'number' ? this.#snapshotNodes.get(parent) : undefined;
  }

  #expectedOf(namespace: string, ref: string): Node | undefined {
    const expected = this.#options.db.get('select expected from ingests where namespace = ? and ref = ?', namespace, ref)?.['expected'];
    return typeof expected === 'string' ? `${namespace} content ${expected}` : undefined;
  }
}

export function contentNode(row: Row): Node {
  return `${textOf(row, 'namespace')} content ${textOf(row, 'digest')}`;
}

export function snapshotNode(row: Row): Node {
  return `${textOf(row, 'namespace')} snapshot/${textOf(row, 'snapshotter')} ${textOf(row, 'key')}`;
}

function byNode(rows: readonly Row[], nodeOf: (row: Row) => Node): ReadonlyMap<Node, Row> {
  return new Map(rows.map((row) => [nodeOf(row), row]));
}

/** To look at the text is much cheaper than to take the labels of thousands of blobs apart. */
function mentions(row: Row, label: string): boolean {
  return textOf(row, 'labels').includes(label);
}

type SnapshotKind = `snapshot/${string}`;
type Kind = 'content' | 'image' | 'ingest' | 'container' | SnapshotKind;

/** Neither a namespace nor the name of a snapshotter has spaces; keys and names may. */
function split(node: Node): { readonly namespace: string; readonly kind: Kind; readonly name: string } {
  const first = node.indexOf(' ');
  const second = node.indexOf(' ', first + 1);
  return { namespace: node.slice(0, first), kind: node.slice(first + 1, second) as Kind, name: node.slice(second + 1) };
}

/** `snapshots/*` is of the snapshotter of running work. */
function leasedNode(namespace: string, type: string, resource: string, snapshotter: string): Node | undefined {
  switch (type) {
    case 'content':
      return `${namespace} content ${resource}`;
    case 'images':
      return `${namespace} image ${resource}`;
    case 'ingests':
      return `${namespace} ingest ${resource}`;
    case 'snapshots/*':
      return `${namespace} snapshot/${snapshotter} ${resource}`;
    default:
      return type.startsWith('snapshots/') ? `${namespace} snapshot/${type.slice('snapshots/'.length)} ${resource}` : undefined;
  }
}
