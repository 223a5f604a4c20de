import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { ensureProgram } from '../../lib/compile.ts';
import type { Running } from '../../lib/process.ts';
import type { RuntimeWorld } from './runtime-world.ts';

/** JavaScript cannot take a descriptor out of a message: a small C program does. */
const source = join(import.meta.dirname, 'receive-descriptor.c');

/** The listening end of a socket to which a runtime sends one descriptor. */
class Receiver {
  readonly path: string;
  readonly running: Running;

  private constructor(path: string, running: Running) {
    this.path = path;
    this.running = running;
  }

  static async listen(world: RuntimeWorld): Promise<Receiver> {
    const path = join(world.world.work, `${randomBytes(4).toString('hex')}.sock`);
    const running = world.world.spawn([ensureProgram(source), path], { keepStdin: true });
    await running.output(/^listening$/m);
    return new Receiver(path, running);
  }

  /** Resolves when the descriptor has come: what was sent with it, and what it is. */
  async received(): Promise<{ readonly message: string; readonly descriptor: string; readonly rest: string }> {
    const [, message = '', descriptor = '', rest = ''] = await this.running.output(/^message (.*)\ndescriptor (.*)\n((?:.*\n)*?)ready$/m);
    return { message, descriptor, rest };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.running.endInput();
    await this.running.stop();
  }
}

/** A terminal that came over `--console-socket PATH`, relayed: what is typed, and what it shows. */
export class ReceivedConsole implements AsyncDisposable {
  readonly #receiver: Receiver;

  constructor(receiver: Receiver) {
    this.#receiver = receiver;
  }

  /** For `--console-socket`. */
  get path(): string {
    return this.#receiver.path;
  }

  /** Resolves when the terminal has come: its link in /proc, the message's text, and its size then. */
  async received(): Promise<{ readonly message: string; readonly descriptor: string; readonly rows: number; readonly columns: number }> {
    const { message, descriptor, rest } = await this.#receiver.received();
    const [, rows, columns] = /^size (\d+) (\d+)$/m.exec(rest) ?? [];
    return { message, descriptor, rows: Number(rows), columns: Number(columns) };
  }

  type(text: string): void {
    this.#receiver.running.write(text);
  }

  /** Resolves when what the terminal has shown so far matches. */
  async shows(pattern: RegExp): Promise<RegExpExecArray> {
    return await this.#receiver.running.output(pattern);
  }

  /** Resolves with all that was shown once every process has closed the terminal. */
  async closed(): Promise<string> {
    const { stdout } = await this.#receiver.running.finished;
    return stdout.slice(stdout.indexOf('ready\n') + 'ready\n'.length);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#receiver[Symbol.asyncDispose]();
  }
}

/** A pidfd that came over `--pidfd-socket PATH`. */
export class ReceivedPidfd implements AsyncDisposable {
  readonly #receiver: Receiver;

  constructor(receiver: Receiver) {
    this.#receiver = receiver;
  }

  /** For `--pidfd-socket`. */
  get path(): string {
    return this.#receiver.path;
  }

  /** Resolves when the descriptor has come: its link in /proc, the message's text, and the pid behind it as the world counts. */
  async received(): Promise<{ readonly message: string; readonly descriptor: string; readonly pid: number }> {
    const { message, descriptor, rest } = await this.#receiver.received();
    return { message, descriptor, pid: Number(/^pid (-?\d+)$/m.exec(rest)?.[1]) };
  }

  /** Sends a signal by the pidfd; resolves once the kernel took it. */
  async signal(number: number): Promise<void> {
    this.#receiver.running.write(`${number}\n`);
    await this.#receiver.running.output(/^sent$/m);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#receiver[Symbol.asyncDispose]();
  }
}

export async function receiveConsole(world: RuntimeWorld): Promise<ReceivedConsole> {
  return new ReceivedConsole(await Receiver.listen(world));
}

/** @public */
export async function receivePidfd(world: RuntimeWorld): Promise<ReceivedPidfd> {
  return new ReceivedPidfd(await Receiver.listen(world));
}
