import path from 'node:path';
import { errorMessage, type Logger, StrakeError } from '../../../base/index.ts';
import type { Launcher, Op } from '../../../kernel/index.ts';
import type { Attachment, AttachOptions, StdioOptions } from '../tasks.ts';
import { FifoReader, FifoWriter } from './fifo.ts';
import { OutputLog } from './output-log.ts';
import { RelayAttachment } from './relay-attachment.ts';

/** stat(2), S_IFIFO */
const fifoType = 0o010000;

export interface RelayOptions {
  /** Where the FIFOs are, of this process alone. */
  readonly dir: string;
  readonly stdio: StdioOptions;
  readonly launcher: Pick<Launcher, 'run'>;
  readonly log: Logger;
}

export interface StdioPaths {
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The streams of a process of another containerd, through FIFOs: to the log and to attached clients, of which one that does not read holds the process back. While the
 * daemon is down the process waits when the FIFOs are full: nothing is lost.
 */
export class StdioRelay {
  readonly paths: StdioPaths;
  readonly #options: RelayOptions;
  readonly #isNew: boolean;
  readonly #output: OutputLog | undefined;
  readonly #readers: readonly FifoReader[];
  readonly #attachments = new Set<RelayAttachment>();
  #stdin: Promise<FifoWriter> | undefined;
  #isStdinEnded = false;
  #closeInput: () => Promise<unknown> = async () => undefined;
  /** All output is handed over. */
  readonly drained: Promise<void>;

  private constructor(options: RelayOptions, paths: StdioPaths, output: OutputLog | undefined, isNew: boolean) {
    this.#isNew = isNew;
    this.#options = options;
    this.#output = output;
    this.paths = paths;
    const streams = [
      ['stdout', paths.stdout],
      ['stderr', paths.stderr],
    ] as const;
    const read = streams.filter(([, file]) => file !== '').map(([name, file]) => ({ name, reader: new FifoReader(file) }));
    this.#readers = read.map(({ reader }) => reader);
    this.drained = this.#relay(read);
  }

  /** `isNew`: the FIFOs are made; else they are those of an earlier daemon. */
  static async open(options: RelayOptions, isNew: boolean): Promise<StdioRelay> {
    const { dir, stdio, launcher } = options;
    const paths = {
      stdin: stdio.openStdin ? path.join(dir, 'stdin') : '',
      stdout: path.join(dir, 'stdout'),
      // A terminal has one output.
      stderr: stdio.terminal ? '' : path.join(dir, 'stderr'),
    };
    if (isNew) {
      const fifos = Object.values(paths).filter((file) => file !== '');
      await launcher.run(fifos.map((file): Op => ({ op: 'mknod_in', side: 'host', path: file, mode: fifoType | 0o600, major: 0, minor: 0, uid: 0, gid: 0 })));
    }
    return new StdioRelay(options, paths, stdio.log === undefined ? undefined : await OutputLog.open(stdio.log), isNew);
  }

  attach(options: AttachOptions): Attachment {
    const attachment = new RelayAttachment(options, {
      write: async (data) => await (await this.#openStdin()).write(data),
      end: async () => await this.endStdin(),
      left: () => {
        this.#attachments.delete(attachment);
        if (options.stdin && this.#options.stdio.stdinOnce) this.endStdin().catch((error: unknown) => this.#warn('stdin', error));
      },
    });
    this.#attachments.add(attachment);
    return attachment;
  }

  /** The process's side keeps the FIFO open for clients that come later: it is told when none does. */
  set closeInput(close: () => Promise<unknown>) {
    this.#closeInput = close;
  }

  async reopenLog(): Promise<void> {
    await this.#output?.reopen();
  }

  async endStdin(): Promise<void> {
    if (this.#isStdinEnded || !this.#options.stdio.openStdin) return;
    this.#isStdinEnded = true;
    await (await this.#openUnended()).close();
    await this.#closeInput();
  }

  /** The process has ended: what is in the FIFOs still comes, what others of its namespaces hold open is not waited for. */
  async finish(graceMs: number): Promise<void> {
    if (!this.#isNew) this.#endUnwritten();
    const timer = setTimeout(() => this.close(), graceMs);
    await this.drained;
    clearTimeout(timer);
    this.close();
  }

  close(): void {
    for (const reader of this.#readers) reader.close();
    this.#isStdinEnded = true;
    this.#stdin?.then(async (writer) => await writer.close()).catch(() => undefined);
  }

  async #openStdin(): Promise<FifoWriter> {
    if (!this.#options.stdio.openStdin || this.#isStdinEnded)
      throw new StrakeError('FailedPrecondition', 'stdin of the process is closed', { fields: { layer: 'core' } });
    return await this.#openUnended();
  }

  async #openUnended(): Promise<FifoWriter> {
    this.#stdin ??= FifoWriter.open(this.paths.stdin);
    return await this.#stdin;
  }

  async #relay(streams: readonly { readonly name: 'stdout' | 'stderr'; readonly reader: FifoReader }[]): Promise<void> {
    const output = this.#output;
    await Promise.all(
      streams.map(async ({ name, reader }) => {
        try {
          for await (const data of reader.chunks()) {
            await output?.write(name, data);
            await Promise.all([...this.#attachments].map(async (attachment) => await attachment.offer(name, data)));
          }
        } catch (error) {
          this.#warn(name, error);
        }
      }),
    );
    await output?.close().catch((error: unknown) => this.#warn('log', error));
    for (const attachment of this.#attachments) attachment.end();
  }

  #endUnwritten(): void {
    for (const reader of this.#readers) {
      try {
        reader.endUnwritten();
      } catch {
        // It is not read any more: it has ended.
      }
    }
  }

  #warn(stream: string, error: unknown): void {
    this.#options.log.warn('a stream of a process was cut short', { stream, directory: this.#options.dir, error: errorMessage(error) });
  }
}
