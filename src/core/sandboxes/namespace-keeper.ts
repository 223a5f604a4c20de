/** Namespaces that outlive the processes in them: what a pod is, while nothing of it runs. */

export interface KeepNamespaces {
  /** A directory of these alone, absolute; it is made. */
  readonly directory: string;
  readonly types: readonly NewType[];
  /** Of the new uts namespace; the machine's name when absent. */
  readonly hostname?: string;
  /** Of these new namespaces, as paths below /proc/sys. */
  readonly sysctls?: Readonly<Record<string, string>>;
  /** Size of a tmpfs for /dev/shm; there is none when absent. */
  readonly sharedMemoryBytes?: number;
}

/** What can be without a process. */
export type NewType = 'network' | 'ipc' | 'uts';
export type KeptType = NewType | 'pid' | 'user';

/** Paths that lead to what is kept: files to join, and a directory to bind. */
export interface KeptNamespaces {
  readonly network?: string;
  readonly ipc?: string;
  readonly uts?: string;
  readonly pid?: string;
  readonly user?: string;
  readonly sharedMemory?: string;
}

export interface NamespaceKeeper {
  /** All or nothing. The loopback interface of a new network namespace is up. */
  keep(options: KeepNamespaces): Promise<KeptNamespaces>;
  /** Those of a process, which may have made them itself, instead of what was kept of their types there. */
  keepOf(pid: number, types: readonly KeptType[], directory: string): Promise<KeptNamespaces>;
  /** Those that are kept there, when all of these are: after a restart of the machine there are but empty files, or none. With the shared memory, if there is one. */
  keptAt(directory: string, types: readonly KeptType[]): KeptNamespaces | undefined;
  /** Lets go of what is kept there and removes the directory. Idempotent. */
  release(directory: string): Promise<void>;
}
