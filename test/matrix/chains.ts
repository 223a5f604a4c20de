import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { strakeRuncInPeerRoot } from '../lib/dist.ts';
import { Engine } from '../lib/engine.ts';
import type { PeerWorld } from '../lib/peer-world.ts';

/** Which implementation stands at each seam. */
export interface ChainNames {
  readonly engine: string;
  readonly containerd: string;
  /** Who holds the container's process. */
  readonly shim: string;
  readonly runtime: string;
}

/** A chain that runs, in a world of its own. */
export interface Chain extends AsyncDisposable {
  readonly engine: Engine;
  restartEngine(): Promise<void>;
  restartContainerd(): Promise<void>;
}

export interface ChainRecipe extends ChainNames {
  /** Steps that go otherwise with a peer of this chain, and why. */
  readonly differs?: Readonly<Record<string, string>> | undefined;
  /** Why this machine does not run it at all; undefined when it does. */
  readonly unfit?: ((peers: PeerWorld) => Promise<string | undefined>) | undefined;
  start(): Promise<Chain>;
}

interface OciRuntime {
  readonly path: string;
  readonly args?: readonly string[];
  readonly differs?: ChainRecipe['differs'];
  readonly unfit?: ChainRecipe['unfit'];
}

/** gVisor's kernel of some builds ends by a panic of its own when a process of the container sleeps, sooner or later. */
async function gvisorPanics(peers: PeerWorld): Promise<string | undefined> {
  const sleeper = 'i=0; while [ $i -lt 20 ]; do sleep 0.1; i=$((i+1)); done; exit 7';
  const { code } = await peers.run(['runsc', '--network=none', '--ignore-cgroups', 'do', 'sh', '-c', sleeper]);
  return code === 7 ? undefined : `runsc ends a shell that sleeps with ${code} instead of 7`;
}

const runtimes: Readonly<Record<string, OciRuntime>> = {
  runc: { path: '/usr/sbin/runc' },
  crun: { path: '/usr/bin/crun', differs: { 'run of what is not there: 127': 'docker knows a missing command by the words of runc alone: 125' } },
  'strake-runc': { path: strakeRuncInPeerRoot },
  runsc: { path: '/usr/bin/runsc', args: ['--network=host'], unfit: gvisorPanics },
};

const containerds = { theirs: 'containerd', ours: 'strake containerd' };

/** The real dockerd on a containerd; `runtime` is what daemon.json says of the default runtime. */
function realDocker(
  whose: 'theirs' | 'ours',
  names: Omit<ChainRecipe, 'engine' | 'containerd' | 'start'>,
  runtime?: object,
  prepare: (peers: PeerWorld) => Promise<void> = async () => undefined,
): ChainRecipe {
  return {
    engine: 'dockerd',
    containerd: containerds[whose],
    ...names,
    async start() {
      const tested = runtime === undefined ? {} : { runtimes: { tested: runtime }, 'default-runtime': 'tested' };
      const engine = await Engine.start('docker', { containerd: whose, configuration: { 'live-restore': true, ...tested }, prepare });
      const { peers } = engine;
      return {
        engine,
        restartEngine: async () => await peers.restartDocker(),
        restartContainerd: async () => await (whose === 'theirs' ? peers.restartContainerd() : peers.restartStrakeContainerd()),
        [Symbol.asyncDispose]: async () => await engine[Symbol.asyncDispose](),
      };
    },
  };
}

/** Our shim where containerd looks for runc's: dockerd gives options to that one alone. */
async function replaceShim({ shims }: PeerWorld): Promise<void> {
  mkdirSync(shims);
  writeFileSync(join(shims, 'containerd-shim-runc-v2'), '#!/bin/sh\nexec /strake/strake containerd-shim "$@"\n', { mode: 0o755 });
}

/** Ends our daemon, and starts it again. */
async function restart(engine: Engine, signal: NodeJS.Signals, flags: readonly string[]): Promise<void> {
  process.kill(engine.daemon.innerPid, signal);
  await engine.daemon.finished;
  await engine.startStrake(flags);
}

/** Ours, all layers in one process, over our runtime or another's command: it is ended as dockerd is, and killed where others restart their containerd. */
function ours(names: Pick<ChainRecipe, 'runtime' | 'differs' | 'unfit'>, command?: { readonly path: string }): ChainRecipe {
  const flags = command === undefined ? [] : ['--add-runtime', `tested=${command.path}`, '--default-runtime', 'tested'];
  return {
    engine: 'strake',
    containerd: 'in process',
    shim: 'in process',
    ...names,
    async start() {
      const engine = command === undefined ? await Engine.start('strake') : await Engine.startInPeerRoot(flags);
      return {
        engine,
        restartEngine: async () => await restart(engine, 'SIGTERM', flags),
        restartContainerd: async () => await restart(engine, 'SIGKILL', flags),
        [Symbol.asyncDispose]: async () => await engine[Symbol.asyncDispose](),
      };
    },
  };
}

/** Our engine on another process's containerd: the real one, or ours. */
function oursOn(whose: 'theirs' | 'ours', names: Pick<ChainRecipe, 'shim' | 'runtime' | 'differs'>, flags: readonly string[] = []): ChainRecipe {
  return {
    engine: 'strake',
    containerd: containerds[whose],
    ...names,
    async start() {
      const engine = await Engine.startOnContainerd(whose, flags);
      return {
        engine,
        restartEngine: async () => await restart(engine, 'SIGTERM', flags),
        restartContainerd: async () => await (whose === 'theirs' ? engine.peers.restartContainerd() : engine.peers.restartStrakeContainerd()),
        [Symbol.asyncDispose]: async () => await engine[Symbol.asyncDispose](),
      };
    },
  };
}

const runcShim = 'containerd-shim-runc-v2';
const ourShim = 'containerd-shim-strake-v2';
const inProcess = { shim: 'in process', runtime: 'in process' };

/** One chain for each OCI runtime that is a command. */
function overEach(
  make: (names: Pick<ChainRecipe, 'runtime' | 'differs' | 'unfit'>, command: { readonly path: string; readonly runtimeArgs: readonly string[] }) => ChainRecipe,
): readonly ChainRecipe[] {
  return Object.entries(runtimes).map(([runtime, { path, args = [], differs, unfit }]) => make({ runtime, differs, unfit }, { path, runtimeArgs: args }));
}

/** Every chain that stands today. */
export const chains: readonly ChainRecipe[] = [
  ours({ runtime: 'in process' }),
  ...overEach(ours),
  oursOn('theirs', { shim: runcShim, runtime: 'runc' }),
  oursOn('theirs', { shim: ourShim, runtime: 'in process' }, ['--default-runtime', 'io.containerd.strake.v2']),
  oursOn('theirs', { shim: runcShim, runtime: 'crun', differs: runtimes['crun']?.differs }, [
    '--add-runtime',
    'tested=/usr/bin/crun',
    '--default-runtime',
    'tested',
  ]),
  oursOn('ours', inProcess),
  oursOn('ours', { shim: ourShim, runtime: 'in process' }, ['--default-runtime', `/strake/${ourShim}`]),
  oursOn('ours', { shim: runcShim, runtime: 'runc' }, ['--default-runtime', `/usr/bin/${runcShim}`]),
  ...overEach((names, command) => realDocker('theirs', { shim: runcShim, ...names }, command)),
  realDocker('theirs', { shim: ourShim, runtime: 'in process' }, { runtimeType: 'io.containerd.strake.v2' }),
  ...overEach((names, command) => realDocker('theirs', { shim: ourShim, ...names }, command, replaceShim)),
  realDocker('ours', inProcess),
  ...overEach((names, command) => realDocker('ours', { shim: 'in process', ...names }, command)),
  realDocker('ours', { shim: runcShim, runtime: 'runc' }, { runtimeType: `/usr/bin/${runcShim}` }),
  realDocker('ours', { shim: ourShim, runtime: 'in process' }, { runtimeType: `/strake/${ourShim}` }),
];
