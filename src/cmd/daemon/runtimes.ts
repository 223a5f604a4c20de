import path from 'node:path';
import type { RuntimeChoice } from '../../core/index.ts';
import type { EngineRuntime, Runtimes } from '../../engine/index.ts';
import { type DaemonFlags, ownRuntimes } from './flags.ts';

type RuntimeFlags = Pick<DaemonFlags, 'addedRuntimes' | 'defaultRuntime' | 'execRoot'>;

/** Of containers in process: ours, and other runtimes' commands under our monitors. */
export function localRuntimes({ addedRuntimes, defaultRuntime, execRoot }: RuntimeFlags): Runtimes {
  const choice = { name: 'io.containerd.strake.v2', options: undefined };
  const added = Object.entries(addedRuntimes).map(([name, program]): [string, EngineRuntime] => [
    name,
    { choice, binary: { path: program, root: path.join(execRoot, 'runtimes', name) } },
  ]);
  return { default: defaultRuntime, known: new Map([...ownRuntimes.map((name): [string, EngineRuntime] => [name, { choice }]), ...added]) };
}

/** Of containers at another containerd: `runc` is what it is told to run by; commands are options of its runc shim, made by `choiceOf`. */
export function remoteRuntimes({ addedRuntimes, defaultRuntime }: RuntimeFlags, choiceOf: (program: string) => RuntimeChoice): Runtimes {
  const usual = defaultRuntime === 'runc' || Object.hasOwn(addedRuntimes, defaultRuntime) ? runcShim : defaultRuntime;
  const added = Object.entries(addedRuntimes).map(([name, program]): [string, EngineRuntime] => [name, { choice: choiceOf(program) }]);
  return {
    default: Object.hasOwn(addedRuntimes, defaultRuntime) ? defaultRuntime : 'runc',
    known: new Map([...ownRuntimes.map((name): [string, EngineRuntime] => [name, { choice: { name: usual, options: undefined } }]), ...added]),
  };
}

export const runcShim = 'io.containerd.runc.v2';
