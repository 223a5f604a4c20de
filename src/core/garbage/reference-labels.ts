/** What containerd's garbage-collection labels say (containerd docs/garbage-collection.md, core/metadata/gc.go). */

/** A thing of the stores: its namespace, a space, what it is (of a snapshot with its snapshotter), a space, its name. */
export type Node = `${string} ${'content' | 'image' | 'ingest' | 'container' | `snapshot/${string}`} ${string}`;

export type Labels = Readonly<Record<string, string>>;

export const gcLabels = {
  /** Kept, whatever its value. */
  root: 'containerd.io/gc.root',
  /** RFC 3339 */
  expire: 'containerd.io/gc.expire',
  flat: 'containerd.io/gc.flat',
  contentRef: 'containerd.io/gc.ref.content',
  snapshotRef: 'containerd.io/gc.ref.snapshot.',
} as const;

/** What the labels of a thing keep: what it refers to, in its own namespace. */
export function referencesOf(labels: Labels, namespace: string): Node[] {
  return references(labels, namespace, 'containerd.io/gc.ref.', ['content', 'image']);
}

/** What keeps the thing that has the labels: it refers back. */
export function backReferencesOf(labels: Labels, namespace: string): Node[] {
  return references(labels, namespace, 'containerd.io/gc.bref.', ['content', 'image', 'container']);
}

/** Behind the kind may stand a name of the reference, after a dot or a slash: `…ref.content.config`. Behind `snapshot` stands the snapshotter's, then that. */
function references(labels: Labels, namespace: string, prefix: string, kinds: readonly ('content' | 'image' | 'container')[]): Node[] {
  const nodes: Node[] = [];
  for (const [label, value] of Object.entries(labels)) {
    if (!label.startsWith(prefix)) continue;
    const rest = label.slice(prefix.length);
    const kind = kinds.find((name) => rest === name || rest.startsWith(`${name}.`) || rest.startsWith(`${name}/`));
    if (kind !== undefined) nodes.push(`${namespace} ${kind} ${value}`);
    else if (rest.startsWith('snapshot.')) nodes.push(`${namespace} snapshot/${rest.slice('snapshot.'.length).split('/')[0]} ${value}`);
  }
  return nodes;
}

/** A time that cannot be read does not end anything. */
export function isExpired(labels: Labels, now: Date): boolean {
  return Date.parse(labels[gcLabels.expire] ?? '') < now.getTime();
}

export function isRoot(labels: Labels): boolean {
  return Object.keys(labels).some((label) => label.startsWith(gcLabels.root));
}
