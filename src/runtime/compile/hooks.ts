import { jsonWithPid, type Op, pidOffsetBytes } from '../../kernel/index.ts';
import type { ContainerStatus, Hook, Hooks, RuntimeSpec, State } from '../../oci/index.ts';
import { ociVersion } from '../default-spec.ts';
import { openFlags } from './linux-numbers.ts';
import type { CreateOptions } from './options.ts';
import type { SlotAllocator } from './slots.ts';

/** Bits of hook's `flags`. */
const hookFlags = { failureIsWarning: 1, withHome: 2 } as const;
const msPerSecond = 1000;
/** The operation has 32 bits for it: 49 days are as good as more. */
const longestMs = 0xffff_ffff;
const hostKinds = ['prestart', 'createRuntime', 'poststart', 'poststop'] as const;
/** The only descriptor of a program of hooks alone. */
const bundleSlot = 0;

export interface HookedContainer {
  readonly id: string;
  /** absolute */
  readonly bundle: string;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/**
 * What each hook reads on stdin (runtime.md, "State"). prestart hooks stem from a time when they were a part of `start`: crun and the specification's own
 * validation say `created` to them, runc `creating`, which is what all that came after them hear.
 */
const statusOf: Readonly<Record<keyof Hooks, ContainerStatus>> = {
  prestart: 'created',
  createRuntime: 'creating',
  createContainer: 'creating',
  startContainer: 'created',
  poststart: 'running',
  poststop: 'stopped',
};

interface HookPlace {
  readonly side: 'host' | 'init';
  /** slot of the working directory */
  readonly dir?: number | undefined;
  /** for a hook that has none (never an empty one of its own: both peers take that for none too) */
  readonly environment: readonly string[];
  readonly flags?: number;
}

/** The hooks of one kind, in their order. The pid in their state is the init's as the hook sees it, known only when the program runs; `pid` where it is known already. */
function hookOps(kind: keyof Hooks, hooks: Hooks | undefined, container: HookedContainer, place: HookPlace, pid?: number): readonly Op[] {
  const list = hooks?.[kind] ?? [];
  if (list.length === 0) return [];
  const state = hookState(kind, container, pid);
  return list.map((hook, index) => ({
    op: 'hook',
    side: place.side,
    name: `${kind} hook #${index}`,
    path: hook.path,
    args: hook.args?.length ? hook.args : [hook.path],
    env: hook.env?.length ? hook.env : place.environment,
    ...state,
    ...(hook.timeout === undefined ? {} : { timeoutMs: timeoutMs(hook) }),
    ...(place.dir === undefined ? {} : { dir: place.dir }),
    ...(place.flags === undefined || (place.flags === hookFlags.withHome && hook.env?.length) ? {} : { flags: place.flags }),
  }));
}

export interface CreateHookOps {
  /** hooks of the host side run in the runtime's namespaces (config.md): where that side joins others itself, a process that stays behind runs them */
  readonly beforeJoin: readonly Op[];
  /** they begin in the bundle, as runc's do */
  readonly afterClone: readonly Op[];
  /** in the root, with the host's tree around it */
  readonly beforePivot: readonly Op[];
  /** `environment`: the process's */
  readonly beforeExec: (environment: readonly string[]) => readonly Op[];
  readonly afterExec: readonly Op[];
  readonly afterRemoval: readonly Op[];
}

/** The hooks of a container at their places in its program; those that `start` and `delete` run are not among them. */
export function createHookOps(
  { hooks, annotations }: RuntimeSpec,
  options: CreateOptions,
  hostJoins: boolean,
  root: number,
  slots: SlotAllocator,
): CreateHookOps {
  const container = { id: options.id, bundle: options.bundle, annotations };
  const environment = options.hookEnvironment ?? [];
  const dir = hostKinds.some((kind) => (hooks?.[kind] ?? []).length > 0) ? slots.take() : undefined;
  const onHost = (kind: keyof Hooks) => hookOps(kind, hooks, container, { side: 'host', dir, environment });
  return {
    beforeJoin:
      dir === undefined || !hostJoins ? [] : [openDirectory(options.bundle, dir), { op: 'hook_runner', side: 'host' }, { op: 'close', side: 'host', fd: dir }],
    afterClone: dir === undefined || hostJoins ? [] : [openDirectory(options.bundle, dir)],
    beforePivot: [
      ...onHost('prestart'),
      ...onHost('createRuntime'),
      ...hookOps('createContainer', hooks, container, { side: 'init', dir: root, environment: [] }),
    ],
    beforeExec: (own) => hookOps('startContainer', hooks, container, { side: 'init', environment: own, flags: hookFlags.withHome }),
    afterExec: options.start.kind === 'fifo' ? [] : onHost('poststart'),
    // Who keeps the container removes it later. Nobody is there then to hear of a failure but the person at stderr.
    afterRemoval:
      options.stateDirectory === undefined ? [] : hookOps('poststop', hooks, container, { side: 'host', dir, environment, flags: hookFlags.failureIsWarning }),
  };
}

export interface LaterHooks {
  readonly environment: readonly string[];
  /** the bundle may be gone when the container is removed: then they begin where the runtime does */
  readonly bundleExists: boolean;
  /** of the init, which poststart hooks hear of */
  readonly pid?: number;
}

/** A program for each hook of a container that is there already. */
export function laterHooks(
  kind: 'poststart' | 'poststop',
  hooks: Hooks | undefined,
  container: HookedContainer,
  later: LaterHooks,
): readonly (readonly Op[])[] {
  const { environment, bundleExists, pid } = later;
  const dir = bundleExists ? bundleSlot : undefined;
  const open = bundleExists ? [openDirectory(container.bundle, bundleSlot)] : [];
  return hookOps(kind, hooks, container, { side: 'host', dir, environment }, pid).map((op) => [...open, op]);
}

function openDirectory(path: string, out: number): Op {
  return { op: 'open', side: 'host', out, path, flags: openFlags.path | openFlags.directory | openFlags.closeOnExec, mode: 0 };
}

function hookState(kind: keyof Hooks, { id, bundle, annotations }: HookedContainer, pid: number | undefined) {
  const status = statusOf[kind];
  const state: Omit<State, 'annotations'> & Pick<HookedContainer, 'annotations'> = { ociVersion, id, status, bundle, annotations };
  if (status === 'stopped' || pid !== undefined) return { state: Buffer.from(JSON.stringify({ ...state, pid })) };
  const text = jsonWithPid(state);
  return { state: Buffer.from(text.text), pidOffsets: pidOffsetBytes(text) };
}

function timeoutMs({ timeout = 0 }: Hook): number {
  return Math.min(timeout * msPerSecond, longestMs);
}
