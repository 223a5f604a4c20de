/** Content-addressed blobs. Contract of both the local store and a remote one over containerd's gRPC. */

export interface BlobInfo {
  /** `sha256:…` or `sha512:…` */
  readonly digest: string;
  readonly sizeBytes: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly labels: Readonly<Record<string, string>>;
}

export interface IngestStatus {
  readonly ref: string;
  readonly offsetBytes: number;
  readonly totalBytes: number | undefined;
  readonly expected: string | undefined;
  readonly startedAt: Date;
  readonly updatedAt: Date;
}

export interface WriterOptions {
  /** Names the ingest, so that an interrupted one is resumed, unless it was to be of another size; at most 512 bytes. */
  readonly ref: string;
  /** When the blob is already there, `writer` throws AlreadyExists. */
  readonly expectedDigest?: string;
  readonly expectedSizeBytes?: number;
  /** What a commit refuses stays, to be gone on with or aborted, and more bytes than are expected are refused no sooner: as containerd's clients have it. Else it is removed. */
  readonly keepsRefused?: boolean;
}

/** Appends to one ingest. Only one writer per ref at a time (Unavailable: locked). Closing without commit keeps the ingest for resumption. */
export interface ContentWriter {
  readonly ref: string;
  /** Bytes that are already there, from an interrupted ingest, or all of them where another namespace has the blob; writing goes on after them. */
  readonly offsetBytes: number;
  write(chunk: Uint8Array): Promise<void>;
  /** Of the bytes that are there; of those that another namespace has, in that one's algorithm. */
  digest(): string;
  /** Throws away what was written so far (a server that ignored Range). */
  truncate(): Promise<void>;
  /** Verifies size and digest in one pass over what streamed; the blob is durable when this is done. FailedPrecondition on a mismatch (the ingest is removed, unless it `keepsRefused`). AlreadyExists is success. */
  commit(options: { readonly sizeBytes?: number; readonly digest?: string; readonly labels?: Readonly<Record<string, string>> }): Promise<BlobInfo>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface ReadOptions {
  readonly offset?: number;
  readonly length?: number;
  /** Whether what is read as a whole is verified: DataLoss at its end when it does not hash to its name. Unless told, where no length is given: whoever gives one knows the blob. */
  readonly verifies?: boolean;
  readonly signal?: AbortSignal;
}

export interface ContentStore {
  /** NotFound when absent. */
  info(digest: string): Promise<BlobInfo>;
  /** Streams the blob from `offset` on; NotFound when absent, OutOfRange when it ends before. */
  read(digest: string, options?: ReadOptions): AsyncIterable<Uint8Array>;
  /** The whole blob, verified against its digest; OutOfRange when larger than `limitBytes`; DataLoss when it does not hash to its name. A damaged blob is set aside: absent from then on. */
  readAll(digest: string, limitBytes: number): Promise<Uint8Array>;
  writer(options: WriterOptions): Promise<ContentWriter>;
  /** Replaces all labels. */
  setLabels(digest: string, labels: Readonly<Record<string, string>>): Promise<BlobInfo>;
  /** Changes the labels named; the empty text takes one away. */
  mergeLabels(digest: string, labels: Readonly<Record<string, string>>): Promise<BlobInfo>;
  /** Those that any of the filters selects, in containerd's language: `digest`, `size`, `labels.NAME`. */
  walk(filters?: readonly string[]): AsyncIterable<BlobInfo>;
  delete(digest: string): Promise<void>;
  /** Filters know `ref`. */
  ingests(filters?: readonly string[]): Promise<readonly IngestStatus[]>;
  /** Removes an interrupted ingest; NotFound when there is none. */
  abort(ref: string): Promise<void>;
}
