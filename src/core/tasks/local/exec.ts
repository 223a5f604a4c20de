import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { discardDirectory, errorMessage, removeDirectory, sweepDiscarded } from '../../../base/index.ts';
import { formatJson, parseJson } from '../../../oci/index.ts';
import { isAlive } from '../../../runtime/index.ts';
import type { ExecOptions, Process } from '../tasks.ts';
import type { TaskContext } from './context.ts';
import type { TaskDriver } from './driver.ts';
import { settleLostProcess } from './lost-process.ts';
import { checkId, taskFiles } from './paths.ts';
import { LocalProcess, type LocalProcessOptions } from './process.ts';
import { reconnect } from './reconnect.ts';
import { claimTelling, readExitRecord, readIfThere, readMonitorRecord } from './records.ts';

/** The container of an exec. */
export interface ExecHost {
  readonly context: TaskContext;
  readonly driver: TaskDriver;
  readonly taskId: string;
  readonly taskDir: string;
  readonly forget: (execId: string) => void;
}

/** What an exec's directory keeps of one that outlives the daemon. */
interface ExecDescription {
  readonly awaitMonitor: boolean;
  readonly note?: unknown;
}

/** One more process in a container, up to its `wait_start`. Its directory goes with it. */
export async function createExec(host: ExecHost, options: ExecOptions): Promise<Process> {
  const { context, driver, taskId } = host;
  const { execId, process, stdio, privileged = false, keep = false, note } = options;
  checkId(execId);
  const dir = path.join(taskFiles.execs(host.taskDir), execId);
  discard(context, dir);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const awaitMonitor = stdio.routes?.stdout?.kind === 'program';
  try {
    const operations = driver.execOperations({ execId, dir, process, stdio, privileged });
    if (keep) writeFileSync(taskFiles.description(dir), formatJson({ awaitMonitor, note } satisfies ExecDescription), { mode: 0o600 });
    const { connection, report } = await context.launcher.launch(operations);
    context.events.publish('/tasks/exec-added', { containerId: taskId, execId });
    return trackExec(
      host,
      { execId, dir, keep, note, awaitMonitor },
      { connection, pid: report.initPid, startTime: report.initStartTime, operations, started: false },
    );
  } catch (error) {
    await removeDirectory(dir);
    throw driver.explain(error, 'exec', dir);
  }
}

/** Those that were kept, and started: they run, or have ended meanwhile. What nobody waits for goes. */
export async function adoptExecs(host: ExecHost): Promise<readonly Process[]> {
  const execs = taskFiles.execs(host.taskDir);
  if (!existsSync(execs)) return [];
  const adopted: Process[] = [];
  for (const execId of await sweepDiscarded(execs)) {
    const dir = path.join(execs, execId);
    const record = readMonitorRecord(dir);
    const description = readIfThere(taskFiles.description(dir));
    if (description === undefined || record === undefined || !(existsSync(taskFiles.started(dir)) || readExitRecord(dir) !== undefined)) {
      // One that nobody started is ended; one that runs and is nobody's any more runs on, and its monitor with it.
      if (record === undefined || !isAlive({ pid: record.pid, startTime: Number(record.startTime) })) await removeDirectory(dir);
      continue;
    }
    const { awaitMonitor, note } = parseJson(description, taskFiles.description(dir)) as ExecDescription;
    const connection = await reconnect(dir);
    adopted.push(
      trackExec(
        host,
        { execId, dir, keep: true, note, awaitMonitor },
        { connection, pid: record.pid, startTime: record.startTime, operations: [], started: true },
      ),
    );
  }
  return adopted;
}

function trackExec(
  { context, driver, taskId, forget }: ExecHost,
  { execId, dir, keep, note, awaitMonitor }: { execId: string; dir: string; keep: boolean; note: unknown; awaitMonitor: boolean },
  process: Pick<LocalProcessOptions, 'connection' | 'pid' | 'startTime' | 'operations' | 'started'>,
): Process {
  let pid = process.pid;
  const remove = () => {
    discard(context, dir);
    forget(execId);
  };
  return new LocalProcess({
    ...process,
    id: execId,
    dir,
    note,
    awaitMonitor,
    lost: settleLostProcess,
    explain: (error) => driver.explain(error, 'exec', dir),
    onStarted: (started) => {
      pid = started;
      context.events.publish('/tasks/exec-started', { containerId: taskId, execId, pid });
    },
    onExit: ({ code, at }, failed) => {
      if (!keep) remove();
      if (failed || (keep && !claimTelling(dir))) return;
      context.events.publish('/tasks/exit', { containerId: taskId, id: execId, pid, exitStatus: code, exitedAt: at });
    },
    onDelete: remove,
  });
}

function discard({ log }: TaskContext, dir: string): void {
  discardDirectory(dir, (error) => log.warn('the directory of an exec was not deleted', { dir, error: errorMessage(error) }));
}
