import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { normalise } from '../../lib/normalise.ts';
import type { Finished, Running, RunOptions } from '../../lib/process.ts';
import type { Pty, PtySize } from '../../lib/pty.ts';
import { until } from '../../lib/until.ts';
import type { CriWorld } from '../cri-world.ts';
import { busyboxImage } from '../images.ts';

/** A command with its outcome, or a fact. What one CRI shows, another must show too. */
export type Seen = readonly [label: string, fact: unknown];

interface PodChoice {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly ports?: readonly object[];
  readonly linux?: object;
}

interface ContainerChoice {
  readonly name: string;
  readonly command?: readonly string[];
  readonly image?: string;
  /** More fields of the configuration. */
  readonly more?: object;
}

/** `crictl` on one CRI, and what it showed. */
export class CrictlClient {
  readonly seen: Seen[] = [];
  readonly #world: CriWorld;
  readonly #command: readonly string[];
  readonly #configurations = new Map<string, string>();
  readonly #undo: (() => Promise<unknown>)[] = [];

  constructor(world: CriWorld, crictl: string, endpoint: string) {
    this.#world = world;
    const configuration = this.write('crictl.yaml', `runtime-endpoint: ${endpoint}\nimage-endpoint: ${endpoint}\ntimeout: 60\n`);
    this.#command = [crictl, '--config', configuration];
  }

  get world(): CriWorld {
    return this.#world;
  }

  write(name: string, content: string): string {
    const file = join(this.#world.work, 'crictl', name);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, content);
    return file;
  }

  /** Runs it, and records command and outcome. */
  async run(argv: readonly string[], options: RunOptions = {}): Promise<Finished> {
    const finished = await this.quiet(argv, options);
    this.note(argv.join(' '), { code: finished.code, stdout: finished.stdout, stderr: withoutWords(finished.stderr) });
    return finished;
  }

  /** One that must succeed, unrecorded: its standard output without the last line end. */
  async output(...argv: readonly string[]): Promise<string> {
    const finished = await this.quiet(argv);
    if (finished.code !== 0) throw new Error(`crictl ${argv.join(' ')}: exit ${finished.code}: ${finished.stderr.trim()}`);
    return finished.stdout.trimEnd();
  }

  async json(...argv: readonly string[]): Promise<unknown> {
    return JSON.parse(await this.output(...argv));
  }

  async quiet(argv: readonly string[], options: RunOptions = {}): Promise<Finished> {
    return await this.#world.peers.run([...this.#command, ...argv], options);
  }

  spawn(argv: readonly string[], options: RunOptions & { readonly keepStdin?: boolean } = {}): Running {
    const running = this.#world.peers.spawn([...this.#command, ...argv], options);
    this.onEnd(async () => await running.stop());
    return running;
  }

  pty(argv: readonly string[], size?: PtySize): Pty {
    return this.#world.peers.pty([...this.#command, ...argv], size);
  }

  note(label: string, fact: unknown): void {
    const clean = (text: string) => this.#clean(text);
    this.seen.push([clean(label), JSON.parse(JSON.stringify(fact), (_key, value) => (typeof value === 'string' ? clean(value) : value))]);
  }

  /** Records the shape of a document: what its paths are, and what kinds of values are there. Keys below `loose` are not told. */
  shape(label: string, document: unknown, loose: readonly string[] = []): void {
    this.note(label, [...new Set(paths(document, '', loose))].sort());
  }

  onEnd(undo: () => Promise<unknown>): void {
    this.#undo.push(undo);
  }

  async end(): Promise<void> {
    for (const undo of this.#undo.splice(0).reverse()) await undo();
  }

  /** Runs a pod, which goes with the step; gives its id. */
  async pod({ name, labels = {}, ports, linux = {} }: PodChoice): Promise<string> {
    const logs = join(this.#world.work, 'crictl/logs', name);
    mkdirSync(logs, { recursive: true });
    const metadata = { name, namespace: 'default', uid: `uid-${name}`, attempt: 1 };
    const configuration = {
      metadata,
      labels,
      log_directory: logs,
      linux: { cgroup_parent: `/crictl-${name}`, ...linux },
      ...(ports === undefined ? {} : { port_mappings: ports }),
    };
    const file = this.write(`pod-${name}.json`, JSON.stringify(configuration));
    const id = await this.output('runp', file);
    this.#configurations.set(id, file);
    this.onEnd(async () => {
      await until(`pod ${name} to be removed`, async () => {
        await this.quiet(['rmp', '--force', id]);
        return (await this.quiet(['inspectp', id])).code !== 0;
      });
    });
    return id;
  }

  async container(pod: string, choice: ContainerChoice): Promise<string> {
    return await this.output(...this.create(pod, choice));
  }

  /** The words that create a container. */
  create(
    pod: string,
    { name, command = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.1; done'], image = busyboxImage, more = {} }: ContainerChoice,
  ): string[] {
    const configuration = { metadata: { name }, image: { image }, command, log_path: `${name}.log`, linux: {}, ...more };
    const podFile = this.#configurations.get(pod);
    if (podFile === undefined) throw new Error(`no pod ${pod} of this client`);
    return ['create', pod, this.write(`container-${name}.json`, JSON.stringify(configuration)), podFile];
  }

  async started(pod: string, choice: ContainerChoice): Promise<string> {
    const id = await this.container(pod, choice);
    await this.output('start', id);
    return id;
  }

  #clean(text: string): string {
    return normalise(text, this.#world.work)
      .replace(/\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{13}\b/g, '<id>')
      .replace(/\b\d{16,20}\b/g, '<ns>')
      .replace(/\b10\.\d+\.\d+\.\d+\b/g, '<address>');
  }
}

/** Who failed says so in words of its own: the code of the call is what counts. */
function withoutWords(stderr: string): string {
  return stderr.replace(/.*(code = \w+) desc = .*/g, '<…> $1').replace(/^E\d{4} [\d:.]+ +\d+ (\w+\.go):\d+\]/gm, '$1');
}

function* paths(value: unknown, at: string, loose: readonly string[]): Generator<string> {
  if (Array.isArray(value)) for (const item of value) yield* paths(item, `${at}[]`, loose);
  else if (typeof value === 'object' && value !== null) {
    if (loose.includes(at)) yield `${at}: …`;
    else for (const [key, inner] of Object.entries(value)) yield* paths(inner, at === '' ? key : `${at}.${key}`, loose);
  } else yield `${at}: ${value === null ? 'null' : typeof value}`;
}
