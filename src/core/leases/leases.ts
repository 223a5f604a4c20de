/** Leases keep content, snapshots, images and ingests from the garbage collector while nothing else names them, across restarts of the daemon. */

export interface LeaseRecord {
  readonly id: string;
  readonly createdAt: Date;
  /** `containerd.io/gc.expire` (RFC 3339) ends it; with `containerd.io/gc.flat` it keeps what it names, not what that refers to. */
  readonly labels: Readonly<Record<string, string>>;
}

export interface LeaseResource {
  /** `snapshots/NAME` for the snapshotter of that name. */
  readonly type: 'content' | 'images' | 'ingests' | `snapshots/${string}`;
  /** digest, image name, ingest ref or snapshot key */
  readonly id: string;
}

export interface LeaseStore {
  /** AlreadyExists when the id is taken; a random one when there is none. */
  create(lease?: { readonly id?: string; readonly labels?: Readonly<Record<string, string>> }): Promise<LeaseRecord>;
  /** NotFound when absent. What only this lease kept goes with the next collection. */
  delete(id: string): Promise<void>;
  list(filters?: readonly string[]): Promise<readonly LeaseRecord[]>;
  /** Idempotent. The resource need not be there yet. */
  addResource(id: string, resource: LeaseResource): Promise<void>;
  deleteResource(id: string, resource: LeaseResource): Promise<void>;
  resources(id: string): Promise<readonly LeaseResource[]>;
}
