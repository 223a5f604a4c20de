import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { median } from '../../bench/timer.ts';
import { tasks } from '../../src/api/containerd/index.ts';
import { errorMessage, silentLogger } from '../../src/base/index.ts';
import type { Core } from '../../src/core/index.ts';
import { openRemoteCore } from '../../src/core/remote/index.ts';
import { connectGrpc, inNamespace } from '../../src/rpc/grpc/index.ts';
import { registryHost, startRegistry } from '../fixtures/registry.ts';
import { kernelSnapshot, type Snapshot, settledLeaks } from '../lib/leaks.ts';
import { PeerWorld } from '../lib/peer-world.ts';
import { until } from '../lib/until.ts';
import { Container, type Daemon, expectEqual, Status } from './container.ts';
import { EventWatch } from './event-watch.ts';
import type { Operation, PulledImage, Turn } from './operations.ts';
import { type Chain, inProcess, type Target } from './targets.ts';
import { isAlive, Victims } from './victims.ts';

const namespace = 'grid';
const busybox = `${registryHost}/busybox:latest`;
const layers = `${registryHost}/layers:latest`;
/** An operation is killed between its beginning and a little after its end: as many times its own length. */
const window = 1.2;
const warmRounds = 3;
/** Where what is to be killed may be gone already: so many rounds at most for each that counts. */
const mostTries = 4;
/** The daemon is another process, and its zygote is started when it is needed first. Shims stay a while. */
const comesAndGoes =
  /^process (gained|lost): \S*(strake containerd|strake-init zygote|containerd-shim)|^(file|socket) (gained|lost): .*(zygote|containerd|shim)\.sock(\.ttrpc)?$|^socket lost: unix \/run\/containerd\/s\/|^process lost: zombie|^file lost: .*\/\.?removed-/;

export interface Cell {
  readonly chain: Chain;
  readonly target: Target;
  readonly operation: Operation;
}

export interface CellOutcome {
  /** Rounds in which something was killed before the operation had ended, or just after. */
  readonly killed: number;
  /** Of these, how many operations were answered nevertheless. */
  readonly answered: number;
  readonly failed: readonly string[];
  /** What the runtime of another is known for. */
  readonly excused: readonly string[];
  /** How long a killed daemon takes to serve again, at most, in ms. */
  readonly restartMs: number;
}

interface Strike {
  readonly wasKilled: boolean;
  readonly isEnding: boolean;
  /** Of the operation. */
  readonly failure: string | undefined;
  readonly restartMs: number;
}

/** A world with our containerd, containers that nobody is to touch, and one that suffers. */
export class Grid implements AsyncDisposable {
  readonly #peers: PeerWorld;
  readonly #core: Core;
  readonly #daemon: Daemon;
  readonly #random: () => number;
  readonly #bystanders: Container[] = [];
  #serial = 0;

  private constructor(peers: PeerWorld, core: Core, daemon: Daemon, random: () => number) {
    this.#peers = peers;
    this.#core = core;
    this.#daemon = daemon;
    this.#random = random;
  }

  static async start(random: () => number): Promise<Grid> {
    const peers = await PeerWorld.start();
    await startRegistry(peers);
    const socket = socketIn(peers);
    await peers.startStrakeContainerd(socket);
    await peers.output([...ctr(socket), 'images', 'pull', '--plain-http', busybox]);
    const connection = connectGrpc({ kind: 'unix', path: socket });
    const core = openRemoteCore({ connection, log: silentLogger });
    const stores = core.inNamespace(namespace);
    const [base] = await Array.fromAsync(stores.snapshots.walk());
    if (base === undefined) throw new Error(`${busybox} has no snapshot`);
    const daemon = { stores, tasks: connection.with(inNamespace(namespace)).client(tasks.Tasks), parent: base.key, world: peers.world };
    return new Grid(peers, core, daemon, random);
  }

  get #image(): PulledImage {
    const command = ctr(socketIn(this.#peers));
    return {
      pull: async () => void (await this.#peers.output([...command, 'images', 'pull', '--plain-http', layers])),
      check: async () => {
        const checked = await this.#peers.output([...command, 'images', 'check', `name==${layers}`]);
        if (!/ complete .* true\s*$/m.test(checked)) throw new Error(`the image is not whole: ${checked}`);
      },
      remove: async () => {
        // The client's own, which lost its daemon: it would end in a day.
        for (const { id } of await this.#daemon.stores.leaseStore.list()) await this.#daemon.stores.leaseStore.delete(id);
        await this.#peers.output([...command, 'images', 'remove', '--sync', layers]);
      },
    };
  }

  async play({ chain, target, operation }: Cell, rounds: number, tell: (line: string) => void): Promise<CellOutcome> {
    let windowMs = (await this.#measure(chain, target, operation)) * window;
    await this.#standBy(chain);
    const outcome = { killed: 0, answered: 0, failed: [] as string[], excused: [] as string[], restartMs: 0 };
    await using events = target === 'daemon' ? undefined : await EventWatch.begin(this.#core, namespace);
    const before = await this.#held();
    for (let round = 0; outcome.killed < rounds && round < rounds * mostTries; round++) {
      const delayMs = this.#random() * windowMs;
      const id = `c${++this.#serial}`;
      const turn = {
        round,
        target,
        isMonitored: chain.targets.includes('monitor'),
        image: this.#image,
        excuse: (what: string) => void outcome.excused.push(what),
      };
      using container = await Container.open(this.#daemon, id, chain.runtime);
      try {
        await operation.before(container, turn);
        const { wasKilled, isEnding, failure, restartMs } = await this.#strike({ chain, target, operation }, container, turn, delayMs);
        const isDone = failure === undefined;
        if (wasKilled) outcome.killed += 1;
        else windowMs = delayMs;
        if (wasKilled && isDone) outcome.answered += 1;
        outcome.restartMs = Math.max(outcome.restartMs, restartMs);
        tell(`${delayMs.toFixed(1)} ms: ${wasKilled ? 'killed' : 'nothing to kill'}, ${failure ?? 'answered'}`);
        await operation.after(container, { ...turn, isDone, isEnding });
        await events?.settled(id, { isCreationTold: target !== 'shim' });
        await this.#bystandersLive(target, chain);
        const left = await settledLeaks(
          before,
          async () => await this.#held(),
          (line) => comesAndGoes.test(line),
        );
        if (left.length > 0) throw new Error(`left: ${left.join('; ')}`);
      } catch (error) {
        outcome.failed.push(`round ${round + 1}, ${id}, at ${delayMs.toFixed(1)} ms: ${errorMessage(error)}`);
        tell(outcome.failed.at(-1) as string);
        // What is wrong already is not to fail what comes after.
        break;
      }
    }
    if (outcome.failed.length === 0 && outcome.killed < rounds) outcome.failed.push(`of ${rounds} only ${outcome.killed} found something to kill`);
    return outcome;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const container of this.#bystanders) container[Symbol.dispose]();
    await this.#peers[Symbol.asyncDispose]();
  }

  /** How long the operation takes when nobody disturbs it, in ms. */
  async #measure(chain: Chain, target: Target, operation: Operation): Promise<number> {
    const lengths: number[] = [];
    for (let round = 0; round < warmRounds; round++) {
      using container = await Container.open(this.#daemon, `w${++this.#serial}`, chain.runtime);
      const turn = { round, target, isMonitored: chain.targets.includes('monitor'), image: this.#image, excuse: () => undefined };
      await operation.before(container, turn);
      const begun = performance.now();
      await operation.act(container, turn);
      lengths.push(performance.now() - begun);
      await operation.after(container, { ...turn, target: 'daemon', isDone: true, isEnding: false });
    }
    return median(lengths);
  }

  /** One in process, and one of the chain: they run as long as nobody kills their shim. */
  async #standBy({ runtime }: Chain): Promise<void> {
    for (const wanted of new Set([inProcess.runtime, runtime])) {
      if (this.#bystanders.some((one) => one.runtime === wanted)) continue;
      const container = await Container.open(this.#daemon, `stands${++this.#serial}`, wanted);
      await container.create();
      await container.start();
      // From now on its init is what it was told to be.
      await container.answers();
      this.#bystanders.push(container);
    }
  }

  async #bystandersLive(target: Target, chain: Chain): Promise<void> {
    for (const container of this.#bystanders) {
      const task = await container.settled();
      if (target === 'shim' && container.runtime === chain.runtime && task?.status !== Status.RUNNING) {
        // It went with its shim. What of it the shim's command had no time for, the next shim ends.
        const { pid } = container;
        if (task !== undefined) await container.deleteTask();
        await container.createTask();
        await container.start();
        await until(`the end of ${container.id}, which has lost its shim`, () => !this.#peers.world.alive(pid));
        continue;
      }
      expectEqual(`the state of ${container.id}`, task?.status, Status.RUNNING);
      expectEqual(`the pid of ${container.id}`, task?.pid, container.pid);
      await container.answers();
    }
  }

  /** Plays the operation, and kills in the midst of it. */
  async #strike({ target, operation }: Cell, container: Container, turn: Turn, delayMs: number): Promise<Strike> {
    const victims = new Victims(this.#peers.world, container);
    const luck = this.#random();
    let isOver = false;
    const acting = operation.act(container, turn).then(
      () => undefined,
      (error: unknown) => errorMessage(error).trim().split('\n').at(-1),
    );
    void acting.finally(() => {
      isOver = true;
    });
    await delay(delayMs);
    if (target === 'daemon') {
      await this.#peers.killStrakeContainerd();
      const failure = await acting;
      const begun = performance.now();
      await this.#peers.startStrakeContainerd(socketIn(this.#peers));
      return { wasKilled: true, isEnding: false, failure, restartMs: performance.now() - begun };
    }
    let victim = victims.pick(target, luck);
    while (victim === undefined && !isOver) {
      await delay(1);
      victim = victims.pick(target, luck);
    }
    if (victim !== undefined && !(await kill(victim))) victim = undefined;
    const isEnding = victim !== undefined && target !== 'shim' && victims.holdContainer(victim);
    return { wasKilled: victim !== undefined, isEnding, failure: await acting, restartMs: 0 };
  }

  async #held(): Promise<Snapshot> {
    const { world } = this.#peers;
    const { stores } = this.#daemon;
    const trees = [path.dirname(socketIn(this.#peers)), path.join(world.work, 'strake-containerd')];
    const daemon = world.pids().find((pid) => /strake\0containerd\0/.test(world.commandLine(pid))) as number;
    const seen = kernelSnapshot(world, { trees, ignore: /-(wal|shm|journal)$/ });
    return {
      ...seen,
      // Others may have come in the place of those that were killed.
      process: (seen['process'] ?? []).map((line) => line.replace(/^\d+ /, '')),
      'network namespace': (seen['network namespace'] ?? []).map(() => 'one'),
      mount: world
        .proc(daemon, 'mountinfo')
        .trim()
        .split('\n')
        .map((line) => line.split(' ')[4] ?? ''),
      snapshot: (await Array.fromAsync(stores.snapshots.walk())).map(({ key }) => key),
      container: (await stores.containers.list()).map(({ id }) => id),
      lease: (await stores.leaseStore.list()).map(({ id }) => id),
      image: (await stores.images.list()).map(({ name }) => name),
    };
  }
}

function socketIn({ world }: PeerWorld): string {
  return path.join(world.work, 'state/containerd.sock');
}

function ctr(socket: string): readonly string[] {
  return ['ctr', '--address', socket, '--namespace', namespace];
}

/** False for a process that has just ended by itself. */
async function kill(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    return false;
  }
  await until(`the end of ${pid}`, () => !isAlive(pid));
  return true;
}
