import { type Container, exits, expectEqual, expectOneOf, ifThere, Status } from './container.ts';
import type { Target } from './targets.ts';

/** What is known when the operation has answered and what was killed is up again. */
export interface Aftermath extends Turn {
  /** The operation was answered: what it did stays done. */
  readonly isDone: boolean;
  /** What was killed takes the container along: its init, or the monitor of that. */
  readonly isEnding: boolean;
}

/** A life of a container up to an operation, the operation, and what must be so after something was killed meanwhile. It ends with the container gone. */
export interface Operation {
  readonly name: string;
  before(container: Container, turn: Turn): Promise<void>;
  act(container: Container, turn: Turn): Promise<void>;
  after(container: Container, aftermath: Aftermath): Promise<void>;
}

export interface Turn {
  /** From 0 on. */
  readonly round: number;
  readonly target: Target;
  /** A monitor holds the task; else its shim does. */
  readonly isMonitored: boolean;
  readonly image: PulledImage;
  /** Of the runtime of another, something that it is known for; told in the table. */
  excuse(what: string): void;
}

/** An image that nothing else needs. */
export interface PulledImage {
  pull(): Promise<void>;
  /** Rejects unless all of it is there. */
  check(): Promise<void>;
  remove(): Promise<void>;
}

/** How long a start takes at most that is not lost. */
const lostStartMs = 5_000;
/** What may become of an init that nobody told to end. */
const killed: readonly number[] = [exits.killed, 255];

/** The task is there, or was ended by the death of what is named; then nothing of it lives. Resolves with whether it is there. */
async function isThere(container: Container, { target }: Aftermath): Promise<boolean> {
  if ((await container.settled()) !== undefined) return true;
  // Only who holds tasks may take them along: the shim, for which its daemon deletes them.
  if (target !== 'shim') throw new Error(`${container.id} has no task any more`);
  if (container.alive) throw new Error(`${container.id} has no task, and its process ${container.pid} lives`);
  return false;
}

/** From a created task on: it can be started, it answers, and it ends as it is told. */
async function live(container: Container): Promise<void> {
  await container.start();
  await container.answers();
  await end(container);
}

async function end(container: Container): Promise<void> {
  const exit = container.wait();
  await container.kill(9);
  expectEqual(`the exit of ${container.id}`, await exit, exits.killed);
  expectEqual(`the exit of ${container.id} at its deletion`, await container.deleteTask(), exits.killed);
  await container.remove();
}

/** A task that was killed, by the grid or by what that killed. */
async function bury(container: Container, allowed: readonly number[]): Promise<void> {
  const exit = await container.wait();
  expectOneOf(`the exit of ${container.id}`, exit, allowed);
  expectEqual(`the exit of ${container.id} at its deletion`, await container.deleteTask(), exit);
}

/** Whatever became of the task, the same container can be made again, and lives. */
async function again(container: Container): Promise<void> {
  await container.create();
  await live(container);
}

/** A task that was started before. */
async function goesOn(container: Container, aftermath: Aftermath): Promise<void> {
  if (!(await isThere(container, aftermath))) return await again(container);
  const { pid } = container;
  const task = await container.look();
  if (task?.status === Status.STOPPED || aftermath.isEnding) {
    if (aftermath.target === 'daemon') throw new Error(`${container.id} has ended with ${task?.exitStatus} though only the daemon was killed`);
    await bury(container, killed);
    return await again(container);
  }
  expectEqual(`the state of ${container.id}`, task?.status, Status.RUNNING);
  expectEqual(`the pid of ${container.id}`, task?.pid, pid);
  await container.answers();
  await end(container);
}

const create: Operation = {
  name: 'create',
  before: async () => undefined,
  act: async (container) => await container.create(),
  async after(container, aftermath) {
    const task = await container.settled();
    if (task === undefined) {
      if (aftermath.isDone) await isThere(container, aftermath);
      return await again(container);
    }
    if (!aftermath.isDone && aftermath.target !== 'daemon') throw new Error(`${container.id} has a task though its creation failed`);
    container.pid = task.pid;
    if (task.status === Status.STOPPED || aftermath.isEnding) {
      await bury(container, killed);
      return await again(container);
    }
    expectEqual(`the state of ${container.id}`, task.status, Status.CREATED);
    await live(container);
  },
};

const start: Operation = {
  name: 'start',
  before: async (container) => await container.create(),
  act: async (container) => await container.start(),
  async after(container, aftermath) {
    if (!(await isThere(container, aftermath))) return await again(container);
    const task = await container.look();
    if (task?.status === Status.CREATED) {
      if (aftermath.isDone) throw new Error(`${container.id} waits for its start, which was answered`);
      if (aftermath.target === 'daemon') {
        if (aftermath.isMonitored || (await container.startsWithin(lostStartMs)))
          return aftermath.isMonitored ? await live(container) : await goesOn(container, aftermath);
        // The call died with the daemon, and `runc start` with the call: it had let the init go, and had not noted it. The next waits for the init for good.
        aftermath.excuse('start lost by runc');
        await container.kill(9);
      }
      await bury(container, killed);
      return await again(container);
    }
    await goesOn(container, aftermath);
  },
};

const exec: Operation = {
  name: 'exec',
  async before(container) {
    await container.create();
    await container.start();
  },
  async act(container) {
    await container.exec('first');
    expectOneOf('the exit of an exec', await container.wait('first'), [exits.exec, exits.killed]);
  },
  async after(container, aftermath) {
    if (await isThere(container, aftermath)) {
      const process = await container.look('first');
      if (aftermath.isDone) expectEqual('the state of the exec', process?.status, Status.STOPPED);
      if (process?.status === Status.RUNNING || process?.status === Status.STOPPED) {
        const allowed = aftermath.target === 'daemon' ? [exits.exec] : [exits.exec, ...killed];
        expectOneOf('the exit of the exec', await container.wait('first'), allowed);
      }
      if (process !== undefined) expectOneOf('the exit of the exec at its deletion', await container.deleteExec('first'), [0, exits.exec, ...killed]);
      const { status } = (await container.settled()) ?? {};
      if (status === Status.RUNNING && !aftermath.isEnding) {
        await container.exec('second');
        expectEqual('the exit of another exec', await container.wait('second'), exits.exec);
        expectEqual('the exit of another exec at its deletion', await container.deleteExec('second'), exits.exec);
      }
    }
    await goesOn(container, aftermath);
  },
};

const stop: Operation = {
  name: 'stop',
  async before(container) {
    await container.create();
    await container.start();
    // Now its trap is set.
    await container.answers();
  },
  async act(container) {
    const exit = container.wait();
    await Promise.all([container.kill(15), exit]);
    expectOneOf(`the exit of ${container.id}`, await exit, [exits.term, ...killed]);
  },
  async after(container, aftermath) {
    if (!(await isThere(container, aftermath))) return await again(container);
    const task = await container.look();
    if (task?.status === Status.RUNNING) {
      if (aftermath.isDone) throw new Error(`${container.id} runs, though it was stopped`);
      const exit = container.wait();
      await container.kill(15).catch(() => undefined);
      await exit;
    }
    await bury(container, aftermath.target === 'daemon' ? [exits.term] : [exits.term, ...killed]);
    await again(container);
  },
};

/** A task that has ended is deleted; where what is killed must be there yet, one that was never started, or one that runs and is killed first. containerd's own shim takes ten seconds for the former. */
function deletedFrom({ round, target, isMonitored }: Turn): 'created' | 'running' | 'ended' {
  if (target === 'init' && !isMonitored) return 'running';
  return isMonitored && (target === 'monitor' || target === 'init' || round % 2 === 0) ? 'created' : 'ended';
}

function exitsOfDeleted(turn: Turn): readonly number[] {
  return deletedFrom(turn) === 'ended' ? [exits.end] : killed;
}

const remove: Operation = {
  name: 'delete',
  async before(container, turn) {
    await container.create();
    const from = deletedFrom(turn);
    if (from === 'created') return;
    await container.start();
    if (from === 'ended') await container.endItself();
  },
  async act(container, turn) {
    if (deletedFrom(turn) === 'running') await Promise.all([container.wait(), container.kill(9)]);
    expectOneOf(`the exit of ${container.id}`, await container.deleteTask(), exitsOfDeleted(turn));
    await container.remove();
  },
  async after(container, aftermath) {
    const task = await container.settled();
    if (task !== undefined) {
      if (aftermath.isDone) throw new Error(`${container.id} has a task, which was deleted`);
      const exit = await ifThere('NotFound', container.deleteTask());
      // The deletion that was begun may have come to its end by now.
      if (exit !== undefined || aftermath.target !== 'daemon') expectOneOf(`the exit of ${container.id}`, exit, exitsOfDeleted(aftermath));
    }
    if (container.alive) throw new Error(`${container.id} is deleted, and its process ${container.pid} lives`);
    await container.remove();
    await again(container);
  },
};

/** Beside a container that runs, whose holders are killed. */
const pull: Operation = {
  name: 'pull',
  async before(container) {
    await container.create();
    await container.start();
    await container.answers();
  },
  act: async (_container, { image }) => await image.pull(),
  async after(container, aftermath) {
    const { image } = aftermath;
    if (aftermath.isDone) await image.check();
    else if (aftermath.target !== 'daemon') throw new Error('the pull failed, though it is no matter of a container');
    await image.pull();
    await image.check();
    await image.remove();
    await goesOn(container, aftermath);
  },
};

export const operations: readonly Operation[] = [pull, create, start, exec, stop, remove];
