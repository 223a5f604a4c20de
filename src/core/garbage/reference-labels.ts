/** What containerd's garbage-collection labels say (containerd docs/garbage-collection.md, core/metadata/gc.go). */

/** A thing of the stores: what it is, a space, its name. */
export type Node = `${'content' | 'snapshot' | 'image' | 'ingest' | 'container'} ${string}`;

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

/** What the labels of a thing keep: what it refers to. */
export function referencesOf(labels: Labels, snapshotter: string): Node[] {
  return references(labels, 'containerd.io/gc.ref.', ['content', 'image'], snapshotter);
}

/** What keeps the thing that has the labels: it refers back. */
export function backReferencesOf(labels: Labels, snapshotter: string): Node[] {
  return references(labels, 'containerd.io/gc.bref.', ['content', 'image', 'container'], snapshotter);
}

/** Behind the kind may stand a name of the reference, after a dot or a slash: `…ref.content.config`. Behind `snapshot` stands the snapshotter's, then that. */
function references(labels: Labels, prefix: string, kinds: readonly ('content' | 'image' | 'container')[], snapshotter: string): Node[] {
  const nodes: Node[] = [];
  for (const [label, value] of Object.entries(labels)) {
    if (!label.startsWith(prefix)) continue;
    const rest = label.slice(prefix.length);
    const kind = kinds.find((name) => rest === name || rest.startsWith(`${name}.`) || rest.startsWith(`${name}/`));
    if (kind !== undefined) nodes.push(`${kind} ${value}`);
    else if (rest.startsWith('snapshot.') && rest.slice('snapshot.'.length).split('/')[0] === snapshotter) nodes.push(`snapshot ${value}`);
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
