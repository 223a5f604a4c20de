import { type FileHandle, mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorMessage, isCode, type Logger } from '../../base/index.ts';
import type { EngineClient } from '../../docker-client/index.ts';
import { criLine, type LogEntry, logEntries } from './frames.ts';
import { resumePoint } from './resume.ts';

/** Before an engine that has gone away in the middle is asked again. */
const againMs = 1_000;

export interface FollowedContainer {
  readonly id: string;
  /** Of the kubelet's file. */
  readonly path: string;
  readonly terminal: boolean;
}

/** Copies what one container says from the engine into the kubelet's file, until it has ended. */
export class LogFollower {
  /** Never rejects. */
  readonly done: Promise<void>;
  readonly #client: EngineClient;
  readonly #container: FollowedContainer;
  readonly #stop = new AbortController();
  #file: FileHandle | undefined;

  constructor(client: EngineClient, container: FollowedContainer, log: Logger) {
    this.#client = client;
    this.#container = container;
    this.done = this.#run(log);
  }

  stop(): void {
    this.#stop.abort();
  }

  /** What comes next goes into a new file at the same path: the old one was moved away. */
  async reopen(): Promise<void> {
    const before = this.#file;
    this.#file = await openLog(this.#container.path);
    await before?.close();
  }

  async #run(log: Logger): Promise<void> {
    const { id } = this.#container;
    const { signal } = this.#stop;
    try {
      for (let isWhole = false; !isWhole && !signal.aborted; ) {
        isWhole = await this.#copy().catch((error: unknown) => {
          if (isCode(error, 'NotFound')) return true;
          log.warn('the log of a container is interrupted', { container: id, error: errorMessage(error) });
          return false;
        });
        if (!isWhole) await sleep(againMs, undefined, { signal });
      }
    } catch (error) {
      if (!signal.aborted) log.error('the log of a container ends', { container: id, error: errorMessage(error) });
    } finally {
      await this.#file?.close();
      this.#file = undefined;
    }
  }

  /** From where the file ends up to the end of the container. False: the engine went away before. */
  async #copy(): Promise<boolean> {
    const { id, path: file, terminal } = this.#container;
    const { time: since, written } = await resumePoint(file);
    const query = { follow: true, stdout: true, stderr: true, timestamps: true, since: since === undefined ? undefined : sinceOf(since) };
    const { signal } = this.#stop;
    const response = await this.#client.call('GET', `/containers/${id}/logs`, { query, signal });
    this.#file ??= await openLog(file);
    let known = written;
    for await (const entry of logEntries(response.body, terminal)) {
      if (since !== undefined && isKnown(entry, since, known)) {
        if (entry.time === since) known -= 1;
        continue;
      }
      await this.#file.write(criLine(entry));
    }
    return !(await this.#client.get<{ readonly State: { readonly Running: boolean } }>(`/containers/${id}/json`)).State.Running;
  }
}

/** Made when it is missing, with its directory. */
export async function openLog(file: string): Promise<FileHandle> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o755 });
  return await open(file, 'a', 0o640);
}

/** Entries of a second before may come too, and of the very time those that are written already. */
function isKnown({ time }: LogEntry, since: string, written: number): boolean {
  return time < since || (time === since && written > 0);
}

/** As the engine takes it: seconds, and nanoseconds behind a point. */
function sinceOf(time: string): string {
  const fraction = /\.(\d+)/.exec(time)?.[1] ?? '0';
  return `${Math.floor(Date.parse(time) / 1000)}.${fraction.padEnd(9, '0')}`;
}
