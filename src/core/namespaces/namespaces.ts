/** containerd's namespaces: each has images, content, snapshots, containers, sandboxes and leases of its own, over the same blobs. */

export interface NamespaceRecord {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface NamespaceStore {
  /** NotFound when there is none. */
  get(name: string): Promise<NamespaceRecord>;
  /** By name. One comes into being with the first thing that is stored in it, too. */
  list(): Promise<readonly NamespaceRecord[]>;
  /** AlreadyExists when the name is taken. */
  create(namespace: { readonly name: string; readonly labels?: Readonly<Record<string, string>> }): Promise<NamespaceRecord>;
  /** Replaces all labels. */
  setLabels(name: string, labels: Readonly<Record<string, string>>): Promise<NamespaceRecord>;
  /** Changes the labels named; the empty text takes one away. */
  mergeLabels(name: string, labels: Readonly<Record<string, string>>): Promise<NamespaceRecord>;
  /** FailedPrecondition while anything is in it, named in the message. */
  delete(name: string): Promise<void>;
}
