import { measureContainerd } from './containerd.ts';
import { type ImageRow, imageRows, measureImages } from './images.ts';
import { busybox, type Machines } from './machines.ts';
import { type CaseResult, type Commands, measure, type Rounds } from './measure.ts';
import { buildTimed } from './timer.ts';

/** What can be measured alone (`--only NAME`). */
export const parts = ['engine', 'runtime', 'images', 'containerd', 'cri'] as const;
export type Part = (typeof parts)[number];

export interface Wanted {
  readonly parts: readonly Part[];
  /** of `images` */
  readonly rows: readonly ImageRow[];
}

export const everything: Wanted = { parts, rows: imageRows };

export async function measureParts(machines: Machines, rounds: Rounds, { parts: wanted, rows }: Wanted): Promise<CaseResult[]> {
  const timed = buildTimed(machines.world.work);
  return [
    ...(wanted.includes('engine') ? await measureEngine(machines, timed, rounds.run) : []),
    ...(wanted.includes('runtime') ? await measureRuntimes(machines, timed, rounds.run) : []),
    ...(wanted.includes('images') ? await measureImages(machines, timed, rounds.pull, rows) : []),
    ...(wanted.includes('containerd') ? await measureContainerd(machines, timed, rounds) : []),
  ];
}

async function measureEngine(machines: Machines, timed: string, rounds: number): Promise<CaseResult[]> {
  const { docker, podman, ctr, engine } = machines;
  const ours = (...argv: readonly string[]): Commands => (engine ? { strake: [...engine.strake, ...argv] } : {});
  return [
    await measure(machines, timed, {
      name: 'run --rm --network none busybox true',
      rounds,
      commands: {
        ...ours('run', '--rm', '--network', 'none', busybox, 'true'),
        docker: [...docker, 'run', '--rm', '--network', 'none', busybox, 'true'],
        podman: [...podman, 'run', '--rm', '--network', 'none', busybox, 'true'],
        ctr: [...ctr, 'run', '--rm', busybox, 'bench', 'true'],
      },
    }),
    await measure(machines, timed, {
      name: 'run --rm busybox true (default bridge)',
      rounds,
      commands: {
        ...ours('run', '--rm', busybox, 'true'),
        docker: [...docker, 'run', '--rm', busybox, 'true'],
      },
    }),
    await measureExec(machines, timed, rounds),
  ];
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
  const run = await measure(machines, timed, {
    name: 'the runtime alone: run of a bundle',
    rounds,
    commands: each((runtime, id) => [...runtime, 'run', '--bundle', bundle, id]),
  });
  const steps = await measure(machines, timed, {
    name: 'the runtime alone: create, start and delete --force, three processes',
    rounds,
    commands: each((runtime, id) => [...runtime, 'create', '--bundle', bundle, id, ';', ...runtime, 'start', id, ';', ...runtime, 'delete', '--force', id]),
  });
  await all('run', '--detach', '--bundle', sleeper);
  try {
    return [
      run,
      steps,
      await measure(machines, timed, {
        name: 'the runtime alone: exec true in a running container',
        rounds,
        commands: each((runtime, id) => [...runtime, 'exec', id, 'true']),
      }),
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
    return await measure(machines, timed, {
      name: 'exec true in a running container',
      rounds,
      commands: {
        ...(engine ? { strake: [...engine.strake, 'exec', 'bench-exec', 'true'] } : {}),
        docker: [...docker, 'exec', 'bench-exec', 'true'],
        podman: [...podman, 'exec', 'bench-exec', 'true'],
      },
    });
  } finally {
    await machines.peers.run([...docker, 'rm', '-f', 'bench-exec']);
    await machines.peers.run([...podman, 'rm', '-f', '-t', '0', 'bench-exec']);
    if (engine) await machines.world.run([...engine.strake, 'rm', '-f', 'bench-exec']);
  }
}
