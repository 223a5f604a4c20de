import type { ExecCreateRequest, ExecInspect } from '../../api/docker/index.ts';
import { errorMessage, randomId, StrakeError } from '../../base/index.ts';
import { capabilitySets, chooseCapabilities, resolveUser } from '../../core/index.ts';
import type { Process, Task } from '../../core/tasks/index.ts';
import type { ProcessSpec } from '../../oci/index.ts';
import { type ClientStream, multiplexed, pipeClient } from './client-stream.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import { ExecSession } from './exec-session.ts';
import { effectiveHostname } from './host-files.ts';
import { publish } from './publish.ts';
import { parseSecurityOptions, processEnvironment, replaceOrAppend } from './spec/index.ts';

/** Execs that were made or have ended and that nobody asked about; the oldest are forgotten. */
const keptExecs = 1000;

export function createExec(context: ContainerContext, reference: string, request: ExecCreateRequest): string {
  const container = context.registry.get(reference);
  checkRunning(container, reference);
  if (request.Cmd.length === 0) throw new StrakeError('InvalidArgument', 'no exec command specified');
  const exec = new ExecSession(randomId(), container.id, request);
  for (const [id, old] of container.execs) {
    if (container.execs.size < keptExecs) break;
    if (!old.running) container.execs.delete(id);
  }
  container.execs.set(exec.id, exec);
  publish(context, container, `exec_create: ${request.Cmd.join(' ')}`, { execID: exec.id });
  return exec.id;
}

export interface StartedExec {
  readonly terminal: boolean;
  /** Serves the connection until the process has ended; without a client the process runs by itself. */
  run(client: ClientStream): Promise<void>;
}

export interface ExecStartOptions {
  readonly detach: boolean;
  readonly consoleSize?: { readonly rows: number; readonly cols: number };
}

/**
 * Checks now, so that what is wrong with the exec itself is an HTTP error; `run` then makes the process, attaches and lets it go. What is wrong
 * with the command is told on the stream and in the exit code, as docker does. Detached, it runs when this resolves.
 */
export async function startExec(context: ContainerContext, execId: string, options: ExecStartOptions): Promise<StartedExec> {
  const { container, exec } = findExec(context, execId);
  if (exec.state.kind === 'ended') throw new StrakeError('FailedPrecondition', `exec ${execId} has already run`);
  if (exec.state.kind !== 'created') throw new StrakeError('FailedPrecondition', `exec ${execId} is already running`);
  const task = checkRunning(container, container.id);
  exec.state = { kind: 'starting' };
  const { request } = exec;
  if (options.detach) await endOnFailure(exec, async () => await begin(context, container, exec, await createProcess(context, container, task, exec, options)));
  return {
    terminal: request.Tty,
    async run(client) {
      const stdin = request.AttachStdin;
      try {
        const attachment = await endOnFailure(exec, async () => {
          const process = await createProcess(context, container, task, exec, options);
          const attached = await process.attach({ stdin, stdout: request.AttachStdout, stderr: request.AttachStderr });
          try {
            await begin(context, container, exec, process);
          } catch (error) {
            attached.close();
            throw error;
          }
          return attached;
        });
        await pipeClient(client, attachment, { terminal: request.Tty, stdin, closeStdin: true, exitRecorded: exec.exitRecorded });
      } catch (error) {
        const text = Buffer.from(`${errorMessage(error)}\r\n`);
        await client.write(request.Tty ? text : multiplexed('stdout', text)).catch(() => undefined);
        await client.end().catch(() => undefined);
      }
    },
  };
}

async function endOnFailure<T>(exec: ExecSession, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const failure = execFailure(error);
    exec.ended({ code: failure.exitCode });
    throw failure.error;
  }
}

export function inspectExec(context: ContainerContext, execId: string): ExecInspect {
  const { exec } = findExec(context, execId);
  const { request, state } = exec;
  const [entrypoint = '', ...args] = request.Cmd;
  return {
    ID: exec.id,
    Running: state.kind === 'running',
    ExitCode: state.kind === 'ended' ? state.exitCode : null,
    ProcessConfig: { tty: request.Tty, entrypoint, arguments: args, privileged: request.Privileged, ...(request.User === '' ? {} : { user: request.User }) },
    OpenStdin: request.AttachStdin,
    OpenStderr: request.AttachStderr,
    OpenStdout: request.AttachStdout,
    CanRemove: state.kind === 'ended',
    ContainerID: exec.containerId,
    DetachKeys: '',
    Pid: state.kind === 'running' || state.kind === 'ended' ? state.pid : 0,
  };
}

export async function resizeExec(context: ContainerContext, execId: string, rows: number, cols: number): Promise<void> {
  const { exec } = findExec(context, execId);
  if (exec.state.kind !== 'running') throw new StrakeError('FailedPrecondition', `exec ${execId} is not running`);
  await exec.state.process.resize(rows, cols);
}

async function begin(context: ContainerContext, container: Container, exec: ExecSession, process: Process): Promise<void> {
  process
    .wait()
    .then((exit) => {
      exec.ended(exit);
      publish(context, container, 'exec_die', { execID: exec.id, exitCode: String(exit.code) });
    })
    .catch(() => undefined);
  publish(context, container, `exec_start: ${exec.request.Cmd.join(' ')}`, { execID: exec.id });
  await process.start();
  if (exec.state.kind === 'starting') exec.started(process);
}

async function createProcess(context: ContainerContext, container: Container, task: Task, exec: ExecSession, options: ExecStartOptions): Promise<Process> {
  const { request } = exec;
  const size = options.consoleSize ?? (request.ConsoleSize === null ? undefined : { rows: request.ConsoleSize[0], cols: request.ConsoleSize[1] });
  return await task.exec({
    execId: exec.id,
    process: await processSpec(context, container, task, request),
    stdio: {
      terminal: request.Tty,
      openStdin: request.AttachStdin,
      stdinOnce: !request.Tty,
      ...(size === undefined || size.rows === 0 ? {} : { consoleSize: size }),
    },
    privileged: request.Privileged,
  });
}

async function processSpec(context: ContainerContext, container: Container, task: Task, request: ExecCreateRequest): Promise<ProcessSpec> {
  const { config, hostConfig, startedBefore, chainId } = container.document;
  const accounts = await context.accounts.read({ kind: 'process', pid: task.state().pid }, startedBefore || chainId === '' ? undefined : chainId);
  const { home, ...user } = resolveUser(request.User === '' ? config.User : request.User, accounts, hostConfig.GroupAdd ?? []);
  const capabilities = chooseCapabilities({
    privileged: hostConfig.Privileged || request.Privileged,
    add: hostConfig.CapAdd ?? [],
    drop: hostConfig.CapDrop ?? [],
    available: context.availableCapabilities,
  });
  const base = processEnvironment({ env: config.Env, hostname: effectiveHostname(container), tty: request.Tty });
  const env = replaceOrAppend(base, request.Env ?? []);
  const { noNewPrivileges } = parseSecurityOptions(hostConfig.SecurityOpt ?? []);
  return {
    terminal: request.Tty,
    user,
    args: request.Cmd,
    env: env.some((entry) => entry.startsWith('HOME=')) ? env : [...env, `HOME=${home}`],
    cwd: request.WorkingDir || config.WorkingDir || '/',
    capabilities: capabilitySets(capabilities, user.uid),
    oomScoreAdj: hostConfig.OomScoreAdj,
    ...(noNewPrivileges ? { noNewPrivileges } : {}),
  };
}

function findExec(context: ContainerContext, execId: string): { readonly container: Container; readonly exec: ExecSession } {
  for (const container of context.registry.list()) {
    const exec = container.execs.get(execId);
    if (exec !== undefined) return { container, exec };
  }
  throw new StrakeError('NotFound', `No such exec instance: ${execId}`);
}

function checkRunning(container: Container, reference: string): Task {
  const { status } = container.lifecycle;
  if (status === 'restarting') throw new StrakeError('FailedPrecondition', `Container ${container.id} is restarting, wait until the container is running`);
  if (status === 'paused') throw new StrakeError('FailedPrecondition', `Container ${reference} is paused, unpause the container before exec`);
  if (!container.running || container.task === undefined) throw new StrakeError('FailedPrecondition', `container ${container.id} is not running`);
  return container.task;
}

/** runc's words for an exec; the CLI takes its exit status 126 and 127 from them. */
function execFailure(cause: unknown): { readonly exitCode: number; readonly error: StrakeError } {
  const message = errorMessage(cause);
  if (cause instanceof StrakeError && !('operation' in cause.fields)) return { exitCode: 126, error: cause };
  const text = `OCI runtime exec failed: exec failed: unable to start container process: ${message}`;
  const missing = /executable file not found|no such file or directory/.test(message);
  return { exitCode: missing ? 127 : 126, error: new StrakeError('InvalidArgument', text, { cause }) };
}
