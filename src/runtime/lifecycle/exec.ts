import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { StrakeError } from '../../base/index.ts';
import { type CapabilitiesSpec, type ProcessSpec, parseProcessSpec, parseRuntimeSpec, type UserSpec } from '../../oci/index.ts';
import { compileExec } from '../compile/exec.ts';
import type { RuntimeContext } from './context.ts';
import { execCgroup } from './exec-cgroup.ts';
import { inheritedDescriptors } from './inherited-descriptors.ts';
import { loadMade } from './load-made.ts';
import { notRunning } from './not-running.ts';
import { writePidFile } from './pid-file.ts';
import { savedFilter } from './saved-filter.ts';
import { containerStatus } from './status.ts';

export interface ExecRequest {
  readonly id: string;
  /** a process.json; else the container's process with the changes below */
  readonly processFile?: string | undefined;
  readonly args: readonly string[];
  readonly cwd?: string | undefined;
  readonly env: readonly string[];
  /** UID[:GID] */
  readonly user?: string | undefined;
  readonly additionalGids: readonly string[];
  readonly capabilities: readonly string[];
  readonly noNewPrivileges?: boolean | undefined;
  readonly apparmor?: string | undefined;
  readonly selinuxLabel?: string | undefined;
  /** `[CONTROLLER[,CONTROLLER]…:]PATH` below the container's cgroup */
  readonly cgroups: readonly string[];
  readonly terminal: boolean;
  readonly detach: boolean;
  readonly pidFile?: string | undefined;
  readonly consoleSocket?: string | undefined;
  readonly pidfdSocket?: string | undefined;
  readonly preserveFds: number;
  readonly ignorePaused: boolean;
}

/** Starts one more process in a running container. 0: where it is waited for, its exit status becomes ours by the hand-over. */
export async function execInContainer(context: RuntimeContext, request: ExecRequest): Promise<number> {
  const { store } = context;
  const container = await loadMade(store, request.id);
  const status = containerStatus(store, container);
  if (status === 'creating') throw notRunning(request.id);
  if (status === 'stopped' || container.init === undefined) throw refuse(request.id, 'cannot exec in a stopped container');
  if (status === 'paused' && !request.ignorePaused) throw refuse(request.id, 'cannot exec in a paused container (use --ignore-paused to override)');
  const config = store.config(request.id);
  const spec = parseRuntimeSpec(config);
  const wanted = requestedProcess(spec.process ?? { cwd: '/' }, request);
  if (request.detach && wanted.terminal && request.consoleSocket === undefined)
    throw refuse(request.id, 'cannot allocate tty if runc will detach without setting console socket');
  context.phase('configuration');
  const descriptors = inheritedDescriptors(0, request.preserveFds);
  const dir = path.join(store.directory(request.id), `console-${process.pid}`);
  const onTerminal = !request.detach && wanted.terminal === true;
  const terminal = onTerminal ? await import('./foreground-terminal.ts') : undefined;
  const operations = compileExec(spec, wanted, {
    id: request.id,
    init: container.init,
    cgroup: execCgroup(container.cgroup, container.init.pid, request.cgroups),
    resctrl: container.resctrl,
    stdio: terminal?.foregroundTerminal(context, dir) ?? { kind: 'inherit', consoleSocket: wanted.terminal ? request.consoleSocket : undefined },
    start: terminal ? { kind: 'connection' } : { kind: 'at-once' },
    detach: request.detach,
    forwardSignals: !request.detach,
    machine: context.machine(),
    noNewKeyring: container.noNewKeyring,
    pidfdSocket: request.pidfdSocket,
    preserveFds: descriptors,
    onWarning: context.warn,
    onDebug: context.debug,
    bundle: container.bundle,
    seccompFilter: savedFilter(store, request.id, config),
  });
  context.phase('compile');
  const report = context.launcher.run(operations);
  context.phase('launch');
  if (request.pidFile !== undefined) writePidFile(request.pidFile, report.initPid);
  if (request.detach) return 0;
  if (terminal === undefined) {
    context.launcher.handOver();
    return 0;
  }
  try {
    return terminal.carryTerminal(context, dir, operations);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The container's own process as `exec`'s flags change it, or the process of a file, which has from the container's what it does not say. */
export function requestedProcess(own: ProcessSpec, request: ExecRequest): ProcessSpec {
  if (request.processFile !== undefined) return withDefaults(parseProcessSpec(readFileSync(request.processFile, 'utf8')), own);
  if (request.args.length === 0) throw new StrakeError('InvalidArgument', 'exec args cannot be empty', { fields: { layer: 'runtime' } });
  return {
    ...own,
    args: request.args,
    cwd: request.cwd ?? own.cwd,
    env: [...(own.env ?? []), ...request.env],
    terminal: request.terminal,
    user: requestedUser(own.user ?? { uid: 0, gid: 0 }, request),
    ...(request.capabilities.length > 0 ? { capabilities: withCapabilities(own.capabilities, request.capabilities) } : {}),
    ...(request.noNewPrivileges === undefined ? {} : { noNewPrivileges: request.noNewPrivileges }),
    ...(request.apparmor === undefined ? {} : { apparmorProfile: request.apparmor }),
    ...(request.selinuxLabel === undefined ? {} : { selinuxLabel: request.selinuxLabel }),
  };
}

/** runc's rules for a process.json. */
function withDefaults(process: ProcessSpec, own: ProcessSpec): ProcessSpec {
  const { capabilities, apparmorProfile, selinuxLabel, rlimits, scheduler, ioPriority, execCPUAffinity } = own;
  const umask = process.user?.umask ?? own.user?.umask;
  return {
    ...defined({ capabilities, scheduler, ioPriority, execCPUAffinity }),
    ...process,
    ...defined({
      apparmorProfile: process.apparmorProfile || apparmorProfile,
      selinuxLabel: process.selinuxLabel || selinuxLabel,
      rlimits: process.rlimits?.length ? process.rlimits : rlimits,
      user: umask === undefined ? undefined : { uid: 0, gid: 0, ...process.user, umask },
    }),
  };
}

function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/** runc adds them to the ambient set only where the process has an inheritable one. */
function withCapabilities(own: CapabilitiesSpec = {}, more: readonly string[]): CapabilitiesSpec {
  const join = (names: readonly string[] = []) => [...new Set([...names, ...more])];
  const sets = { ...own, bounding: join(own.bounding), effective: join(own.effective), permitted: join(own.permitted) };
  return own.inheritable === undefined ? sets : { ...sets, ambient: join(own.ambient) };
}

function requestedUser(own: UserSpec, { user, additionalGids }: ExecRequest): UserSpec {
  const [uid, gid, ...more] = user?.split(':') ?? [];
  if (more.length > 0) throw new StrakeError('InvalidArgument', `invalid user ${JSON.stringify(user)}`, { fields: { layer: 'runtime' } });
  return {
    ...own,
    ...(uid === undefined ? {} : { uid: parseId(uid) }),
    ...(gid === undefined ? {} : { gid: parseId(gid) }),
    ...(additionalGids.length > 0 ? { additionalGids: [...(own.additionalGids ?? []), ...additionalGids.map(parseId)] } : {}),
  };
}

/** Decimal digits alone: anything else must never become uid 0 (CVE-2024-40635). */
function parseId(text: string): number {
  const id = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(id < 0xffff_ffff))
    throw new StrakeError('InvalidArgument', `invalid id ${JSON.stringify(text)}: parsing it as int failed`, { fields: { layer: 'runtime' } });
  return id;
}

function refuse(id: string, message: string): StrakeError {
  return new StrakeError('FailedPrecondition', message, { fields: { layer: 'runtime', id } });
}
