import { StrakeError } from '../../base/index.ts';
import type { Op, Report } from '../../kernel/index.ts';
import { listNetDevices, parseNetDevices } from '../../kernel/netlink/index.ts';
import type { RuntimeSpec } from '../../oci/index.ts';
import { compileCreate } from '../compile/create.ts';
import type { CgroupPlan, CreateOptions, Learning, StartMode, Stdio } from '../compile/options.ts';
import { rootfsParentMount } from '../parent-mount.ts';
import { identityOf, readStat } from '../state/process-identity.ts';
import type { StateStore, StoredContainer } from '../state/store.ts';
import { type Bundle, readBundle } from './bundle.ts';
import { type ContainerCgroup, checkCgroupUnused, containerCgroup } from './cgroup.ts';
import { isFrontGone, type RuntimeContext } from './context.ts';
import { callersEnvironment, runPoststopHooks } from './hooks.ts';
import { activatedSockets, inheritedDescriptors, withActivation } from './inherited-descriptors.ts';
import { writePidFile } from './pid-file.ts';
import { prepareVerbs } from './prepare.ts';
import { saveFilter } from './saved-filter.ts';

export interface CreateRequest {
  readonly id: string;
  readonly bundle: string;
  /** in the bundle, where it is not config.json */
  readonly configFile?: string | undefined;
  readonly pidFile?: string | undefined;
  readonly consoleSocket?: string | undefined;
  readonly pidfdSocket?: string | undefined;
  /** how many of the caller's descriptors, behind those of socket activation, the process keeps */
  readonly preserveFds: number;
  readonly noPivot: boolean;
  readonly noNewKeyring: boolean;
  readonly learn?: Learning | undefined;
}

/** Makes the container up to the point where `start` lets its process go. Leaves nothing when it fails. */
export function createContainer(context: RuntimeContext, request: CreateRequest): void {
  const bundle = readBundle(request.bundle, request.configFile);
  launchContainer(context, request, bundle, { start: { kind: 'fifo', path: context.store.startFifo(request.id) }, detach: true });
}

export interface LaunchMode {
  readonly start: StartMode;
  readonly detach: boolean;
  /** the state stays when a process in the foreground has ended */
  readonly keep?: boolean;
  /** instead of our own descriptors */
  readonly stdio?: Stdio;
}

/** Compiles, claims the id, launches, writes the state and the pid file. The program, which a failed start names its operation of. */
export function launchContainer(context: RuntimeContext, request: CreateRequest, bundle: Bundle, mode: LaunchMode): readonly Op[] {
  const { store, phase } = context;
  phase('configuration');
  const activated = activatedSockets(process.env, process.ppid);
  const descriptors = inheritedDescriptors(activated, request.preserveFds);
  const spec = withActivation(bundle.spec, activated);
  store.directory(request.id);
  checkConsole(spec, request, mode.detach);
  const machine = context.machine();
  const cgroup = containerCgroup(spec, { id: request.id, machine, rootless: context.rootless, manager: context.cgroupManager, warn: context.warn });
  const options = { ...createOptions(context, request, bundle, mode, { machine, cgroup: cgroup.plan }), preserveFds: descriptors };
  const operations = compileCreate(spec, options);
  phase('compile');
  warnOfStrays(context, spec, cgroup.plan);
  store.claim(request.id, bundle.config);
  checkUnused(store, request.id, cgroup);
  try {
    // Written down before it is made: whoever kills us can still have all of it deleted.
    const container = storedContainer(request, bundle, cgroup);
    store.save({ ...container, creator: identityOf(process.ppid) });
    phase('claim');
    const report = context.launcher.run(operations);
    phase('launch');
    try {
      const created = { ...container, init: { pid: report.initPid, startTime: startTimeOf(report, spec) } };
      store.save(created);
      if (mode.detach) prepare(store, created, spec, cgroup.plan, mode.start);
      saveFilter(store, request.id, bundle.config, operations);
      if (request.pidFile !== undefined) writePidFile(request.pidFile, report.initPid);
      phase('save');
    } catch (error) {
      endInit(report.initPid);
      throw error;
    }
    return operations;
  } catch (error) {
    // Nobody is left who could take away what was made: it stays written down, for `delete`.
    if (isFrontGone(error)) throw error;
    // A program that waits for its process cleans up by itself.
    if (mode.detach || mode.keep) removeCgroups(context, cgroup.plan);
    store.remove(request.id);
    if (mode.detach || mode.keep) runPoststopHooks(context, spec.hooks, { id: request.id, bundle: bundle.path, annotations: spec.annotations });
    throw error;
  }
}

/** After the id is known to be free, and before there is anything that a failure would take away with the others' processes. */
function checkUnused(store: StateStore, id: string, { directories }: ContainerCgroup): void {
  try {
    checkCgroupUnused(directories);
  } catch (error) {
    store.remove(id);
    throw error;
  }
}

/** It may have ended by itself; that must not hide why it has to. */
function endInit(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function prepare(store: StateStore, { id, init }: StoredContainer, spec: RuntimeSpec, { cleanup }: CgroupPlan, start: StartMode): void {
  prepareVerbs(store, id, spec, { init, cgroupCleanup: cleanup, stateDirectory: store.directory(id) }, start.kind === 'fifo');
}

/** Without either, the end of the init is the end of nothing else. */
function warnOfStrays({ warn }: RuntimeContext, { linux }: RuntimeSpec, { v1, v2 }: CgroupPlan): void {
  const privatePids = linux?.namespaces?.some(({ type, path }) => type === 'pid' && !path);
  if (privatePids || v1.length > 0 || v2 !== undefined) return;
  warn(
    'Creating a rootless container with no cgroup and no private pid namespace. Such configuration is strongly discouraged ' +
      "(as it is impossible to properly kill all container's processes)",
  );
}

function wantsNetDevices({ linux }: RuntimeSpec): boolean {
  return Object.keys(linux?.netDevices ?? {}).length > 0;
}

/** The operations that `explain` prints and `create` runs. */
export function createOptions(
  context: RuntimeContext,
  request: CreateRequest,
  bundle: Bundle,
  mode: LaunchMode,
  on: Pick<CreateOptions, 'machine' | 'cgroup'>,
): CreateOptions {
  return {
    id: request.id,
    bundle: bundle.path,
    rootfs: { type: 'directory', path: bundle.rootfs },
    stdio: mode.stdio ?? { kind: 'inherit', consoleSocket: bundle.spec.process?.terminal ? request.consoleSocket : undefined },
    start: mode.start,
    detach: mode.detach,
    forwardSignals: !mode.detach,
    keepCgroup: mode.keep,
    stateDirectory: mode.keep ? undefined : context.store.directory(request.id),
    ...on,
    noPivot: request.noPivot,
    noNewKeyring: request.noNewKeyring,
    pidfdSocket: request.pidfdSocket,
    netDevices: wantsNetDevices(bundle.spec) ? parseNetDevices(context.launcher.ask(listNetDevices())) : [],
    hookEnvironment: callersEnvironment(bundle.spec.hooks),
    learn: request.learn,
    onWarning: context.warn,
    onDebug: context.debug,
    ...rootfsParentMount(bundle.spec, bundle.rootfs),
  };
}

/** Best effort after a failed or detached program: the first failure is the one to report. */
function removeCgroups({ launcher, warn }: RuntimeContext, { cleanup }: { readonly cleanup: readonly Op[] }): void {
  if (cleanup.length === 0) return;
  try {
    launcher.run(cleanup);
  } catch (error) {
    warn(`cgroups were not removed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function checkConsole(spec: RuntimeSpec, request: CreateRequest, detach: boolean): void {
  const terminal = spec.process?.terminal ?? false;
  const fail = (message: string) => new StrakeError('InvalidArgument', message, { fields: { layer: 'runtime', id: request.id } });
  if (detach && terminal && request.consoleSocket === undefined) throw fail('cannot allocate tty if runc will detach without setting console socket');
  if (request.consoleSocket !== undefined && !(detach && terminal)) throw fail('cannot use console socket if runc will not detach or allocate tty');
}

/** A program that joins a time namespace sees start times as that one counts them (time_namespaces(7)); we have not joined it. */
function startTimeOf(report: Report, { linux }: RuntimeSpec): number {
  const joinsTime = linux?.namespaces?.some(({ type, path }) => type === 'time' && path) ?? false;
  return (joinsTime ? readStat(report.initPid)?.startTime : undefined) ?? Number(report.initStartTime);
}

function storedContainer(request: CreateRequest, bundle: Bundle, cgroup: ContainerCgroup): StoredContainer {
  return {
    ociVersion: bundle.spec.ociVersion,
    id: request.id,
    bundle: bundle.path,
    rootfs: bundle.rootfs,
    created: new Date().toISOString(),
    annotations: bundle.spec.annotations ?? {},
    owner: '',
    cgroup: cgroup.directories,
    privatePids: bundle.spec.linux?.namespaces?.some(({ type, path }) => type === 'pid' && !path) ?? false,
    resctrl: cgroup.resctrl,
    noNewKeyring: request.noNewKeyring,
    hooks: bundle.spec.hooks,
  };
}
