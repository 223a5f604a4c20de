import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { busybox, type Machines } from './machines.ts';
import { type CaseResult, type Commands, measure } from './measure.ts';
import { type ImageName, manyLayers, Registries } from './registries.ts';
import { median, type Timer } from './timer.ts';

/** What the commit finds: so many files of so many bytes. */
const changed = { files: 2000, bytes: 16 << 10 } as const;
/** So many times the rounds where it takes a moment, and what the disk does is a matter of luck. */
const steadier = 3;
/** What goes through a registry at once. */
const load = { parallel: 8, blobs: 32, blobBytes: 16 << 20 } as const;

/** The rows, and what each finds in the registries. */
const stored = {
  pull: ['debian', 'many'],
  memory: ['debian'],
  push: ['debian'],
  save: ['debian'],
  load: ['debian'],
  commit: [],
  registry: [],
} as const satisfies Readonly<Record<string, readonly ImageName[]>>;
export type ImageRow = keyof typeof stored;
export const imageRows = Object.keys(stored) as ImageRow[];

/** Pull, push, save, load and commit beside the peers, and the two registries beside each other. */
export async function measureImages(machines: Machines, timed: string, rounds: number, wanted: readonly ImageRow[]): Promise<CaseResult[]> {
  await using registries = await Registries.start(machines, new Set(wanted.flatMap((row) => stored[row])));
  const bench = new ImageBench(machines, registries, timed, rounds);
  const rows: Readonly<Record<ImageRow, () => Promise<CaseResult[]>>> = {
    pull: async () => await bench.pulls(),
    memory: async () => [await bench.memory()],
    push: async () => [await bench.push()],
    save: async () => [await bench.save()],
    load: async () => [await bench.load()],
    commit: async () => [await bench.commit()],
    registry: async () => [await bench.throughput('pull'), await bench.throughput('push')],
  };
  const results: CaseResult[] = [];
  for (const row of wanted) results.push(...(await rows[row]()));
  return results;
}

class ImageBench {
  readonly #machines: Machines;
  readonly #registries: Registries;
  readonly #timed: string;
  readonly #rounds: number;

  constructor(machines: Machines, registries: Registries, timed: string, rounds: number) {
    this.#machines = machines;
    this.#registries = registries;
    this.#timed = timed;
    this.#rounds = rounds;
  }

  async pulls(): Promise<CaseResult[]> {
    const many = `${manyLayers.count} layers with ${manyLayers.count * manyLayers.filesEach} files`;
    const results: CaseResult[] = [];
    for (const registry of this.#registries.names) {
      results.push(await this.#pull(`the debootstrapped image, from ${registry}`, this.#registries.reference(registry, 'debian')));
      results.push(await this.#pull(`${many}, from ${registry}`, this.#registries.reference(registry, 'many')));
    }
    return results;
  }

  async #pull(what: string, image: string): Promise<CaseResult> {
    const result = await this.#measure(
      `pull and unpack of ${what}`,
      this.#commands({
        strake: ['pull', '-q', image],
        docker: ['pull', '-q', image],
        podman: ['pull', '-q', '--tls-verify=false', image],
        ctr: ['images', 'pull', '--plain-http', image],
      }),
      async ({ label }) => await this.#remove(label, image),
    );
    // The next one may be the same under another name.
    for (const label of Object.keys(result.medians)) await this.#remove(label, image);
    return result;
  }

  /** Peak of the daemon's memory while it pulls; podman and ctr have none, or are it. */
  async memory(): Promise<CaseResult> {
    const { world } = this.#machines;
    const image = this.#debian;
    const samples: Record<string, number[]> = {};
    const daemons = { strake: [/strake\0daemon/], docker: [/^(\/\S*\/)?dockerd\0/, /^(\/\S*\/)?containerd\0/] } as const;
    for (let round = 0; round < this.#rounds; round += 1)
      for (const [label, programs] of Object.entries(daemons)) {
        const command = this.#commands({ [label]: ['pull', '-q', image] })[label];
        if (command === undefined) continue;
        const pids = world.pids().filter((pid) => world.alive(pid) && programs.some((program) => program.test(world.proc(pid, 'cmdline'))));
        if (pids.length !== programs.length) throw new Error(`${label}: ${pids.length} daemons`);
        await this.#remove(label, image);
        // proc(5), clear_refs: 5 sets the peak to what is resident now.
        for (const pid of pids) writeFileSync(world.procPath(pid, 'clear_refs'), '5');
        await this.#place(label).output(command, { timeoutMs: 300_000 });
        const peak = pids.reduce((sum, pid) => sum + Number(/^VmHWM:\s+(\d+) kB$/m.exec(world.proc(pid, 'status'))?.[1] ?? 0), 0);
        samples[label] = [...(samples[label] ?? []), peak];
      }
    const medians = Object.fromEntries(Object.entries(samples).map(([label, values]) => [label, median(values)]));
    return { name: 'memory of the daemons at the peak of a pull of the debootstrapped image', unit: 'KiB', rounds: this.#rounds, medians };
  }

  async push(): Promise<CaseResult> {
    const image = this.#debian;
    await this.#everywhere(image);
    const target = (label: string) => this.#registries.reference('docker-registry', `pushed/${label}`);
    for (const label of ['strake', 'docker'] as const) await this.#run(label, ['tag', image, target(label)]);
    const result = await this.#measure(
      'push of the debootstrapped image',
      this.#commands({
        strake: ['push', '-q', target('strake')],
        docker: ['push', '-q', target('docker')],
        podman: ['push', '-q', '--tls-verify=false', image, target('podman')],
        ctr: ['images', 'push', '--plain-http', target('ctr'), image],
      }),
      async () => this.#registries.forget('pushed'),
      this.#rounds * steadier,
    );
    // A name that stays would keep what the next rows remove.
    for (const label of ['strake', 'docker'] as const) await this.#remove(label, target(label));
    return result;
  }

  async save(): Promise<CaseResult> {
    const image = this.#debian;
    await this.#everywhere(image);
    return await this.#measure(
      'save of the debootstrapped image',
      this.#commands({
        strake: ['save', '-o', this.#archive('strake'), image],
        docker: ['save', '-o', this.#archive('docker'), image],
        podman: ['save', '-q', '-o', this.#archive('podman'), image],
        ctr: ['images', 'export', this.#archive('ctr'), image],
      }),
      async ({ label }) => void (await this.#place(label).output(['rm', '-f', this.#archive(label)])),
    );
  }

  /** Everybody the archive that docker has saved. */
  async load(): Promise<CaseResult> {
    const image = this.#debian;
    const archive = this.#archive('docker');
    await this.#run('docker', ['pull', '-q', image]);
    await this.#run('docker', ['save', '-o', archive, image]);
    return await this.#measure(
      'load of the debootstrapped image',
      this.#commands({
        strake: ['load', '-q', '-i', archive],
        docker: ['load', '-q', '-i', archive],
        podman: ['load', '-q', '-i', archive],
        ctr: ['images', 'import', archive],
      }),
      async ({ label }) => await this.#remove(label, image),
    );
  }

  async commit(): Promise<CaseResult> {
    const fill = `mkdir /data && cd /data && i=0 && while [ $i -lt ${changed.files} ]; do head -c ${changed.bytes} /dev/urandom >$i; i=$((i+1)); done; touch /done; exec sleep 100000`;
    const labels = ['strake', 'docker', 'podman'] as const;
    for (const label of labels) {
      await this.#run(label, ['run', '-d', '--name', 'bench-commit', '--network', 'none', busybox, 'sh', '-c', fill]);
      await this.#run(label, ['exec', 'bench-commit', 'sh', '-c', 'until [ -e /done ]; do sleep 0.1; done']);
    }
    const result = await this.#measure(
      `commit of ${changed.files} new files, ${(changed.files * changed.bytes) >> 20} MiB`,
      this.#commands(Object.fromEntries(labels.map((label) => [label, ['commit', ...(label === 'podman' ? ['-q'] : []), 'bench-commit', 'bench-committed']]))),
      // Else it is the layer of the round before, which is there already.
      async ({ label }) => await this.#run(label, ['exec', 'bench-commit', 'sh', '-c', `head -c ${changed.bytes} /dev/urandom >/data/0`]),
    );
    for (const label of labels) await this.#run(label, ['rm', '-f', ...(label === 'podman' ? ['-t', '0'] : []), 'bench-commit']);
    return result;
  }

  /** The registries alone, with one client that does nothing else. */
  async throughput(direction: 'pull' | 'push'): Promise<CaseResult> {
    const client = join(import.meta.dirname, 'registry-load.ts');
    const commands = Object.fromEntries(
      this.#registries.names.map((name) => [
        name,
        [process.execPath, client, direction, this.#registries.url(name), String(load.parallel), String(load.blobs), String(load.blobBytes)],
      ]),
    );
    const what = `${load.blobs} blobs of ${load.blobBytes >> 20} MiB, ${load.parallel} at once`;
    const name = `the registry alone: ${direction} of ${what}`;
    return await measure(this.#machines, this.#timed, { name, rounds: this.#rounds * steadier, commands, place: () => this.#machines.world });
  }

  get #debian(): string {
    return this.#registries.reference('docker-registry', 'debian');
  }

  #archive(label: string): string {
    return join(this.#machines.world.work, `${label}-saved.tar`);
  }

  /** The image in each store. */
  async #everywhere(image: string): Promise<void> {
    await this.#run('strake', ['pull', '-q', image]);
    await this.#run('docker', ['pull', '-q', image]);
    await this.#run('podman', ['pull', '-q', '--tls-verify=false', image]);
    await this.#run('ctr', ['images', 'pull', '--plain-http', image]);
  }

  async #remove(label: string, image: string): Promise<void> {
    if (label === 'ctr') return await this.#run(label, ['images', 'rm', '--sync', image]);
    // Missing is fine: the first round has nothing to remove.
    const [command] = Object.values(this.#commands({ [label]: ['rmi', '-f', image] }));
    if (command) await this.#place(label).run(command, { timeoutMs: 120_000 });
  }

  async #run(label: string, args: readonly string[]): Promise<void> {
    const [command] = Object.values(this.#commands({ [label]: args }));
    if (command) await this.#place(label).output(command, { timeoutMs: 300_000 });
  }

  #place(label: string) {
    return label === 'strake' ? this.#machines.world : this.#machines.peers;
  }

  /** The client of each label before its arguments; ours is left out where only the peers run. */
  #commands(args: Readonly<Record<string, readonly string[]>>): Commands {
    const { engine, docker, podman, ctr } = this.#machines;
    const clients: Commands = { ...(engine ? { strake: engine.strake } : {}), docker, podman, ctr };
    return Object.fromEntries(Object.entries(args).flatMap(([label, rest]) => (clients[label] ? [[label, [...clients[label], ...rest]]] : [])));
  }

  async #measure(
    name: string,
    commands: Commands,
    before: (timer: Timer) => Promise<void> = async () => undefined,
    rounds = this.#rounds,
  ): Promise<CaseResult> {
    return await measure(this.#machines, this.#timed, { name, rounds, commands, before });
  }
}
