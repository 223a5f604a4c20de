/**
 * `npm run test:load [-- --containers N] [--rounds N] [--running N] [--shim]`: containers by our gRPC client on `strake containerd`, ten at a time: whole lives in
 * rounds, then many that run at once; printed as a table. `--shim`: those that run at once are held by containerd-shim-strake-v2. Exits with 1 when a life fails, the
 * last ones take longer than the first, a running one costs too much memory, or something is left.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { pssKib } from '../../bench/memory.ts';
import { median } from '../../bench/timer.ts';
import { tasks } from '../../src/api/containerd/index.ts';
import { errorMessage, silentLogger } from '../../src/base/index.ts';
import { openRemoteCore } from '../../src/core/remote/index.ts';
import { connectGrpc, inNamespace } from '../../src/rpc/grpc/index.ts';
import { registryHost, startRegistry } from '../fixtures/registry.ts';
import { buildIfStale } from '../lib/dist.ts';
import { idleSnapshot, leaksSince } from '../lib/leaks.ts';
import { PeerWorld } from '../lib/peer-world.ts';
import { until } from '../lib/until.ts';
import { LoadClient } from './load-client.ts';

const concurrency = 10;
/** How many of the first and of the last lives are compared. */
const compared = 100;
const mostSlowdown = 1.3;
/** Of a heap that is collected when it likes. */
const mostGrowth = 1.3;
const mostPssMib = 1.5;
/** At first there may still be the daemon's end of a closed connection, and a process that has ended. */
const stillEnding = /^descriptor lost: socket:$|^process lost: \d+ zombie/;
const image = `${registryHost}/busybox:latest`;

interface Row {
  readonly what: string;
  readonly measured: string;
  readonly isMissed: boolean;
}

/** Calls `act` for each of 0 … count - 1, ten at a time. Resolves with why some failed. */
async function each(count: number, act: (index: number) => Promise<void>): Promise<readonly string[]> {
  const failed: string[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) {
      const index = next++;
      await act(index).catch((error: unknown) => failed.push(errorMessage(error)));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return failed;
}

function failures(failed: readonly string[]): string {
  return failed.length === 0 ? 'no failure' : `${failed.length} failures, the first: ${failed[0]}`;
}

function slowdown(what: string, latencies: readonly number[]): Row {
  const size = Math.min(compared, latencies.length >> 1);
  const [first, last] = [median(latencies.slice(0, size)), median(latencies.slice(-size))];
  const measured = `${first.toFixed(0)} ms, ${last.toFixed(0)} ms: ${(last / first).toFixed(2)}`;
  return { what: `${what}: median of the first and the last ${size}, at most ${mostSlowdown}`, measured, isMissed: last > first * mostSlowdown };
}

class Load {
  readonly #peers: PeerWorld;
  readonly #client: LoadClient;

  constructor(peers: PeerWorld, client: LoadClient) {
    this.#peers = peers;
    this.#client = client;
  }

  get daemon(): number {
    const { world } = this.#peers;
    return world.pids().find((pid) => /strake\0containerd\0/.test(world.commandLine(pid))) as number;
  }

  async *rounds(rounds: number, containers: number): AsyncIterable<Row> {
    const all: number[] = [];
    const rss: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      const latencies: number[] = [];
      const begun = performance.now();
      const failed = await each(containers, async (index) => {
        latencies[index] = await this.#client.live(`r${round}-${index}`);
      });
      const seconds = (performance.now() - begun) / 1_000;
      const lives = Object.values(latencies);
      all.push(...lives);
      rss.push(Number.parseInt(this.#peers.world.status(this.daemon, 'VmRSS'), 10) / 1024);
      yield {
        what: `round ${round}: ${containers} containers`,
        measured: `${failures(failed)}; ${seconds.toFixed(1)} s; RSS of the daemon ${rss.at(-1)?.toFixed(0)} MiB`,
        isMissed: failed.length > 0,
      };
      yield slowdown(`round ${round}`, lives);
    }
    if (rounds < 2) return;
    yield slowdown('all rounds', all);
    const growth = (rss.at(-1) as number) / (rss[0] as number);
    yield { what: `all rounds: RSS after the last and the first, at most ${mostGrowth}`, measured: growth.toFixed(2), isMissed: growth > mostGrowth };
  }

  /** Monitors and shims: all that is there for the containers, without these. */
  async *running(count: number): AsyncIterable<Row> {
    const { world } = this.#peers;
    const others = new Set(world.pids());
    const started = new Map<string, number>();
    const failed = await each(count, async (index) => {
      const id = `running-${index}`;
      await this.#client.create(id, ['sleep', '100000']);
      started.set(id, await this.#client.start(id));
    });
    const running = [...started.values()].filter((pid) => world.alive(pid)).length;
    yield { what: `${count} at once`, measured: `${failures(failed)}; ${running} run`, isMissed: failed.length > 0 || running !== count };
    const holders = world.pids().filter((pid) => !others.has(pid) && /strake/.test(world.commandLine(pid)));
    const pssMib = holders.reduce((sum, pid) => sum + pssKib(world.procPath(pid, 'smaps_rollup')), 0) / 1024 / started.size;
    yield {
      what: `${count} at once: PSS of what holds them, a container, at most ${mostPssMib} MiB`,
      measured: `${pssMib.toFixed(2)} MiB, of ${holders.length} processes`,
      isMissed: !(pssMib > 0 && pssMib <= mostPssMib),
    };
    const ids = [...started.keys()];
    const left = await each(ids.length, async (index) => {
      const id = ids[index] as string;
      await this.#client.kill(id);
      await this.#client.delete(id);
    });
    yield { what: `${count} at once: killed and deleted`, measured: failures(left), isMissed: left.length > 0 };
  }
}

function numberOf(text: string | undefined, otherwise: number): number {
  const value = Number(text ?? otherwise);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${text}: a whole number from 1 on is wanted`);
  return value;
}

/** A shim of many containers stays for a while when the last one has gone. */
async function shimsEnded({ world }: PeerWorld): Promise<void> {
  await until('the shims to end', () => world.pids().every((pid) => !world.commandLine(pid).includes('containerd-shim')), 30_000);
}

async function main(argv: readonly string[]): Promise<number> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ args: [...argv], options: { containers: text, rounds: text, running: text, shim: { type: 'boolean' } } });
  if (!buildIfStale()) return 1;
  await using peers = await PeerWorld.start();
  await startRegistry(peers);
  const socket = path.join(peers.world.work, 'state/containerd.sock');
  await peers.startStrakeContainerd(socket);
  await peers.output(['ctr', '--address', socket, '--namespace', 'load', 'images', 'pull', '--plain-http', image]);

  const connection = connectGrpc({ kind: 'unix', path: socket });
  const stores = openRemoteCore({ connection, log: silentLogger }).inNamespace('load');
  const [base] = await Array.fromAsync(stores.snapshots.walk());
  if (base === undefined) throw new Error(`${image} has no snapshot`);
  const clientOver = (runtime: string) =>
    new LoadClient({ stores, tasks: connection.with(inNamespace('load')).client(tasks.Tasks), parent: base.key, runtime });
  const clients = ['io.containerd.runc.v2', ...(values.shim === true ? ['/strake/containerd-shim-strake-v2'] : [])].map(clientOver);
  const [load, many = load] = clients.map((client) => new Load(peers, client)) as [Load, Load?];

  let missed = 0;
  const print = ({ what, measured, isMissed }: Row): void => {
    console.log(`| ${what} | ${measured} | ${isMissed ? '**missed**' : 'reached'} |`);
    if (isMissed) missed += 1;
  };
  console.log('| what | measured | |\n|---|---|---|');
  for (const client of clients) await client.live('warm');
  const options = {
    trees: [path.dirname(socket), path.join(peers.world.work, 'strake-containerd')],
    ignore: /-(wal|shm|journal)$/,
    descriptorsOf: [load.daemon],
  };
  await shimsEnded(peers);
  const before = await idleSnapshot(peers, options);
  for await (const row of load.rounds(numberOf(values.rounds, 3), numberOf(values.containers, 1_000))) print(row);
  for await (const row of many.running(numberOf(values.running, 500))) print(row);
  await shimsEnded(peers);
  const left = (await leaksSince(before, peers, options)).filter((line) => !stillEnding.test(line));
  print({ what: 'nothing is left', measured: left.length === 0 ? 'nothing' : `${left.length}: ${left.slice(0, 5).join('; ')}`, isMissed: left.length > 0 });
  connection.close();
  return missed === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
