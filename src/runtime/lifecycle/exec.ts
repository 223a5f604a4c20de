import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { StrakeError } from '../../base/index.ts';
import { type CapabilitiesSpec, type ProcessSpec, parseProcessSpec, parseRuntimeSpec } from '../../oci/index.ts';
import { compileExec } from '../compile/exec.ts';
import type { RuntimeContext } from './context.ts';
import { inheritedDescriptors } from './inherited-descriptors.ts';
import { notRunning } from './kill.ts';
import { writePidFile } from './pid-file.ts';
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
  readonly noNewPrivileges: boolean;
  readonly apparmor?: string | undefined;
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
  const container = store.load(request.id);
  const status = containerStatus(store, container);
  if (status === 'stopped' || container.init === undefined) throw refuse(request.id, 'cannot exec in a stopped container');
  if (status === 'paused' && !request.ignorePaused) throw refuse(request.id, 'cannot exec in a paused container (use --ignore-paused to override)');
  if (status === 'creating') throw notRunning(request.id);
  const spec = parseRuntimeSpec(store.config(request.id));
  const wanted = requestedProcess(spec.process ?? { cwd: '/' }, request);
  if (request.detach && wanted.terminal && request.consoleSocket === undefined)
    throw refuse(request.id, 'cannot allocate tty if runc will detach without setting console socket');
  const descriptors = inheritedDescriptors(0, request.preserveFds);
  const dir = path.join(store.directory(request.id), `console-${process.pid}`);
  const onTerminal = !request.detach && wanted.terminal === true;
  const terminal = onTerminal ? await import('./foreground-terminal.ts') : undefined;
  const operations = compileExec(spec, wanted, {
    id: request.id,
    init: container.init,
    cgroup: container.cgroup,
    stdio: terminal?.foregroundTerminal(dir) ?? { kind: 'inherit', consoleSocket: wanted.terminal ? request.consoleSocket : undefined },
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
  });
  const report = context.launcher.run(operations);
  if (request.pidFile !== undefined) writePidFile(request.pidFile, report.initPid);
  if (request.detach) return 0;
  context.launcher.handOver();
  if (terminal === undefined) return 0;
  try {
    return await terminal.carryTerminal(dir, operations);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The container's own process as `exec`'s flags change it. */
export function requestedProcess(own: ProcessSpec, request: ExecRequest): ProcessSpec {
  if (request.processFile !== undefined) return parseProcessSpec(readFileSync(request.processFile, 'utf8'));
  if (request.args.length === 0) throw new StrakeError('InvalidArgument', 'process args cannot be empty', { fields: { layer: 'runtime' } });
  const user = request.user === undefined ? own.user : { ...parseUser(request.user), ...(own.user?.umask === undefined ? {} : { umask: own.user.umask }) };
  const { execCPUAffinity: _affinity, ...rest } = own;
  return {
    ...rest,
    args: request.args,
    cwd: request.cwd ?? own.cwd,
    env: [...(own.env ?? []), ...request.env],
    terminal: request.terminal,
    ...(user === undefined ? {} : { user: { ...user, additionalGids: [...(user.additionalGids ?? []), ...request.additionalGids.map(parseId)] } }),
    ...(request.capabilities.length > 0 ? { capabilities: withCapabilities(own.capabilities, request.capabilities) } : {}),
    ...(request.noNewPrivileges ? { noNewPrivileges: true } : {}),
    ...(request.apparmor === undefined ? {} : { apparmorProfile: request.apparmor }),
  };
}

/** runc adds them to all sets but the inheritable and ambient ones, which it gives only to processes that have them. */
function withCapabilities(own: CapabilitiesSpec = {}, more: readonly string[]): CapabilitiesSpec {
  const join = (names: readonly string[] = []) => [...new Set([...names, ...more])];
  return { ...own, bounding: join(own.bounding), effective: join(own.effective), permitted: join(own.permitted) };
}

function parseUser(text: string): { readonly uid: number; readonly gid: number; readonly additionalGids?: readonly number[] } {
  const [uid = '', gid, ...more] = text.split(':');
  if (more.length > 0) throw new StrakeError('InvalidArgument', `invalid user ${JSON.stringify(text)}`, { fields: { layer: 'runtime' } });
  return { uid: parseId(uid), gid: gid === undefined ? 0 : parseId(gid) };
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
