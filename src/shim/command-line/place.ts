import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { shimTask } from '../../api/containerd/index.ts';
import { StrakeError } from '../../base/index.ts';
import { createTtrpcClient, TtrpcConnection } from '../../rpc/ttrpc/index.ts';

/** Below it, a directory for each containerd and namespace: their shims share nothing. */
const stateRoot = '/run/strake/shim';
const lockTimeoutMs = 30_000;
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

  make(): void {
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
  }

  /** Whoever has it is alone with the tasks: a shim for as long as it serves. `wait`: for another's end; else undefined when somebody has it. */
  async lock(wait: boolean): Promise<Disposable | undefined> {
    // Who only calls the shim that is there needs none of it.
    const { DatabaseSync } = await import('node:sqlite');
    this.make();
    const database = new DatabaseSync(path.join(this.directory, 'lock'), { timeout: wait ? lockTimeoutMs : 0 });
    try {
      database.exec('BEGIN EXCLUSIVE');
    } catch (cause) {
      database.close();
      if (!wait) return undefined;
      throw new StrakeError('Unavailable', `the shim of ${this.directory} neither answers nor ends`, { cause, fields: { layer: 'shim' } });
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
