import { tasks } from '../src/api/containerd/index.ts';
import { silentLogger } from '../src/base/index.ts';
import { openRemoteCore } from '../src/core/remote/index.ts';
import { connectGrpc, inNamespace } from '../src/rpc/grpc/index.ts';
import { LoadClient } from '../test/load/load-client.ts';
import type { CaseResult } from './measure.ts';
import { median } from './timer.ts';

const atOnce = [1, 10, 50] as const;
const namespace = 'default';

/**
 * What a caller waits for a task: `Create` (which starts the shim where there is one), and `Start`, each so many at once and the median of all. `sockets` as
 * the machine sees them; each has an image.
 */
export async function measureTaskStarts(sockets: Readonly<Record<string, string>>, rounds: number): Promise<CaseResult[]> {
  const loads = await Promise.all(Object.entries(sockets).map(async ([label, socket]) => await TaskLoad.open(label, socket)));
  try {
    const results: CaseResult[] = [];
    for (const count of atOnce) {
      // One at a time is short, and varies more.
      const times = count === 1 ? rounds * 10 : rounds;
      for (const load of loads) await load.round(count);
      for (const load of loads) load.forget();
      for (let round = 0; round < times; round += 1) for (const load of loads) await load.round(count);
      for (const step of ['create', 'start'] as const) {
        const medians = Object.fromEntries(loads.map((load) => [load.label, median(load.samplesMs[step])]));
        const name = `task ${step}, ${count === 1 ? 'one' : count} at once`;
        console.error(`${name}: ${JSON.stringify(medians)}`);
        results.push({ name, unit: 'ms', rounds: times, medians });
      }
    }
    return results;
  } finally {
    for (const load of loads) load.close();
  }
}

class TaskLoad {
  readonly label: string;
  readonly samplesMs = { create: [] as number[], start: [] as number[] };
  readonly #client: LoadClient;
  readonly close: () => void;

  private constructor(label: string, client: LoadClient, close: () => void) {
    this.label = label;
    this.#client = client;
    this.close = close;
  }

  static async open(label: string, path: string): Promise<TaskLoad> {
    const connection = connectGrpc({ kind: 'unix', path });
    const stores = openRemoteCore({ connection, log: silentLogger }).inNamespace(namespace);
    const committed = (await Array.fromAsync(stores.snapshots.walk())).find(({ kind }) => kind === 'committed');
    if (committed === undefined) throw new Error(`${label} has no image`);
    const client = connection.with(inNamespace(namespace)).client(tasks.Tasks);
    return new TaskLoad(label, new LoadClient({ stores, tasks: client, parent: committed.key, runtime: 'io.containerd.runc.v2' }), () => connection.close());
  }

  async round(count: number): Promise<void> {
    // The containers of both have the same cgroups' parent.
    const ids = Array.from({ length: count }, (_, index) => `${this.label}-${index}`);
    const creates = await Promise.all(ids.map(async (id) => await this.#client.prepare(id, ['sleep', '100000'])));
    await Promise.all(creates.map(async (create) => await this.#timed('create', create)));
    await Promise.all(ids.map(async (id) => await this.#timed('start', async () => await this.#client.start(id))));
    await Promise.all(ids.map(async (id) => await this.#client.kill(id)));
    await Promise.all(ids.map(async (id) => await this.#client.delete(id)));
  }

  /** What came so far was a warm-up. */
  forget(): void {
    for (const samples of Object.values(this.samplesMs)) samples.length = 0;
  }

  async #timed(step: 'create' | 'start', run: () => Promise<unknown>): Promise<void> {
    const begun = performance.now();
    await run();
    this.samplesMs[step].push(performance.now() - begun);
  }
}
