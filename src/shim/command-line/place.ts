import { createHash } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import path from 'node:path';
import { shimTask } from '../../api/containerd/index.ts';
import { createTtrpcClient, TtrpcConnection } from '../../rpc/ttrpc/index.ts';

/** Below it, a directory for each containerd and namespace: their shims share nothing. */
const stateRoot = '/run/strake/shim';
/** Those who find the lock taken look again whether a shim serves. */
const cleanUpWaitMs = 100;
const callTimeoutMs = 10_000;

/** The place of the one shim that serves all containers of a namespace of a containerd. */
export class ShimPlace {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  static of({ namespace, address }: { readonly namespace: string; readonly address: string }): ShimPlace {
    const key = createHash('sha256').update(`${address}\0${namespace}`).digest('hex').slice(0, 16);
    return new ShimPlace(path.join(stateRoot, key));
  }

  get socket(): string {
    return path.join(this.directory, 'shim.sock');
  }

  /** Processes of user namespaces reach their root through it; its files are root's alone. */
  make(): void {
    mkdirSync(this.directory, { recursive: true, mode: 0o711 });
  }

  /** Who serves is alone with the tasks, for as long as it does; undefined when it is not. */
  async lockToServe(): Promise<Disposable | undefined> {
    try {
      return await this.lock(0, 'BEGIN EXCLUSIVE');
    } catch {
      return undefined;
    }
  }

  /** Those who clean up after a shim are many at once, each for one task, and no shim serves meanwhile; undefined when one does, or is about to. */
  async lockToCleanUp(): Promise<Disposable | undefined> {
    try {
      return await this.lock(cleanUpWaitMs, 'BEGIN; SELECT count(*) FROM sqlite_master');
    } catch {
      return undefined;
    }
  }

  /** A lock of fcntl(2) by way of SQLite: the kernel lets it go with the process, however that ends. */
  private async lock(timeout: number, take: string): Promise<Disposable> {
    // Who only calls the shim that is there needs none of it.
    const { DatabaseSync } = await import('node:sqlite');
    this.make();
    const file = path.join(this.directory, 'lock');
    // Not where it is: the close would let go what this process has locked of it (fcntl_locking(2)).
    if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600));
    const database = new DatabaseSync(file, { timeout });
    try {
      database.exec(take);
    } catch (error) {
      database.close();
      throw error;
    }
    return { [Symbol.dispose]: () => database.close() };
  }

  /** Calls of the shim that serves here; undefined when none does. */
  async connect(): Promise<ShimCalls | undefined> {
    try {
      return new ShimCalls(await TtrpcConnection.open(this.socket));
    } catch {
      return undefined;
    }
  }
}

/** The call that keeps a shim from ending until the container of its id is made. */
export const reserveHeader = 'strake-reserve';

export class ShimCalls implements Disposable {
  private readonly connection: TtrpcConnection;
  readonly tasks;

  constructor(connection: TtrpcConnection) {
    this.connection = connection;
    this.tasks = createTtrpcClient(shimTask.Task, connection);
  }

  /** False when the shim is about to end. */
  async reserve(id: string): Promise<boolean> {
    try {
      await this.tasks.connect({ id }, { headers: { [reserveHeader]: '1' }, timeoutMs: callTimeoutMs });
      return true;
    } catch {
      return false;
    }
  }

  [Symbol.dispose](): void {
    this.connection.close();
  }
}
