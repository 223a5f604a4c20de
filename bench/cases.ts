import type { Machines } from './machines.ts';
import { busybox, debian } from './machines.ts';
import { buildTimed, interleave, Timer } from './timer.ts';

/** Medians in ms by competitor; `strake` is ours, and absent when only the peers run. */
export interface CaseResult {
  readonly name: string;
  readonly unit: 'ms' | 'KiB';
  readonly rounds: number;
  readonly medians: Readonly<Record<string, number>>;
}

export interface Rounds {
  readonly run: number;
  readonly pull: number;
}

type Commands = Readonly<Record<string, readonly string[]>>;

/** Runs one case: every command interleaved with the others. Ours run in the world itself, the peers in their root. */
async function measure(
  machines: Machines,
  timed: string,
  name: string,
  rounds: number,
  commands: Commands,
  before?: (timer: Timer) => Promise<void>,
): Promise<CaseResult> {
  const timers = Object.entries(commands).map(([label, argv]) => new Timer(label, label.startsWith('strake') ? machines.world : machines.peers, timed, argv));
  try {
    await interleave(timers, rounds, before);
  } finally {
    for (const timer of timers) await timer.end();
  }
  return { name, unit: 'ms', rounds, medians: Object.fromEntries(timers.map((timer) => [timer.label, timer.medianMs])) };
}

export async function measureAll(machines: Machines, rounds: Rounds): Promise<CaseResult[]> {
  const timed = buildTimed(machines.world.work);
  const { docker, podman, ctr, engine } = machines;
  const ours = (...argv: readonly string[]): Commands => (engine ? { strake: [...engine.strake, ...argv] } : {});
  const results: CaseResult[] = [];

  results.push(
    await measure(machines, timed, 'run --rm --network none busybox true', rounds.run, {
      ...ours('run', '--rm', '--network', 'none', busybox, 'true'),
      docker: [...docker, 'run', '--rm', '--network', 'none', busybox, 'true'],
      podman: [...podman, 'run', '--rm', '--network', 'none', busybox, 'true'],
      ctr: [...ctr, 'run', '--rm', busybox, 'bench', 'true'],
    }),
  );
  results.push(
    await measure(machines, timed, 'run --rm busybox true (default bridge)', rounds.run, {
      ...ours('run', '--rm', busybox, 'true'),
      docker: [...docker, 'run', '--rm', busybox, 'true'],
    }),
  );
  results.push(...(await measureRuntimes(machines, timed, rounds.run)));
  results.push(await measureExec(machines, timed, rounds.run));
  results.push(
    await measure(
      machines,
      timed,
      'pull and unpack of the debootstrapped image',
      rounds.pull,
      { ...ours('pull', '-q', debian), docker: [...docker, 'pull', '-q', debian] },
      async (timer) => {
        if (timer.label === 'docker') await machines.peers.run([...docker, 'rmi', '-f', debian]);
        else if (engine) await machines.world.run([...engine.strake, 'rmi', '-f', debian]);
      },
    ),
  );
  return results;
}

/** The runtimes alone, on one bundle, each as the processes that a caller starts. */
async function measureRuntimes(machines: Machines, timed: string, rounds: number): Promise<CaseResult[]> {
  const { engine, bundle, sleeper } = machines;
  const runtimes: Commands = {
    ...(engine ? { 'strake-runc': [`${engine.binary}-runc`, '--root', `${machines.world.work}/strake-runc`] } : {}),
    runc: ['runc'],
    crun: ['crun'],
  };
  const each = (commands: (runtime: readonly string[], id: string) => readonly string[]): Commands =>
    Object.fromEntries(Object.entries(runtimes).map(([name, runtime]) => [name, commands(runtime, `bench-${name}`)]));
  // A detached container keeps its caller's stdio: a pipe of ours would never end.
  const quietly = ['sh', '-c', 'exec "$@" </dev/null >/dev/null 2>&1', 'sh'];
  const all = async (...args: readonly string[]) => {
    for (const [name, runtime] of Object.entries(runtimes))
      await (name === 'strake-runc' ? machines.world : machines.peers).output([...quietly, ...runtime, ...args, `bench-${name}`]);
  };
  const run = await measure(
    machines,
    timed,
    'the runtime alone: run of a bundle',
    rounds,
    each((runtime, id) => [...runtime, 'run', '--bundle', bundle, id]),
  );
  const steps = await measure(
    machines,
    timed,
    'the runtime alone: create, start and delete --force, three processes',
    rounds,
    each((runtime, id) => [...runtime, 'create', '--bundle', bundle, id, ';', ...runtime, 'start', id, ';', ...runtime, 'delete', '--force', id]),
  );
  await all('run', '--detach', '--bundle', sleeper);
  try {
    return [
      run,
      steps,
      await measure(
        machines,
        timed,
        'the runtime alone: exec true in a running container',
        rounds,
        each((runtime, id) => [...runtime, 'exec', id, 'true']),
      ),
    ];
  } finally {
    await all('delete', '--force');
  }
}

async function measureExec(machines: Machines, timed: string, rounds: number): Promise<CaseResult> {
  const { docker, podman, engine } = machines;
  const sleeper = ['run', '-d', '--name', 'bench-exec', '--network', 'none', busybox, 'sleep', '100000'];
  await machines.peers.output([...docker, ...sleeper]);
  await machines.peers.output([...podman, ...sleeper]);
  if (engine) await machines.world.output([...engine.strake, ...sleeper]);
  try {
    return await measure(machines, timed, 'exec true in a running container', rounds, {
      ...(engine ? { strake: [...engine.strake, 'exec', 'bench-exec', 'true'] } : {}),
      docker: [...docker, 'exec', 'bench-exec', 'true'],
      podman: [...podman, 'exec', 'bench-exec', 'true'],
    });
  } finally {
    await machines.peers.run([...docker, 'rm', '-f', 'bench-exec']);
    await machines.peers.run([...podman, 'rm', '-f', '-t', '0', 'bench-exec']);
    if (engine) await machines.world.run([...engine.strake, 'rm', '-f', 'bench-exec']);
  }
}
