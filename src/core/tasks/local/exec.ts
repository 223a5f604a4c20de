import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { CgroupDirectories } from '../../../kernel/index.ts';
import type { ProcessSpec, RuntimeSpec } from '../../../oci/index.ts';
import { compileExec } from '../../../runtime/index.ts';
import type { Process, StdioOptions } from '../tasks.ts';
import type { TaskContext } from './context.ts';
import { settleLostProcess } from './lost-process.ts';
import { checkId, taskFiles } from './paths.ts';
import { LocalProcess } from './process.ts';

export interface NewExec {
  readonly execId: string;
  readonly taskId: string;
  readonly taskDir: string;
  readonly spec: RuntimeSpec;
  readonly process: ProcessSpec;
  readonly stdio: StdioOptions;
  readonly init: { readonly pid: number; readonly startTime: bigint };
  readonly cgroup: CgroupDirectories;
  readonly forget: () => void;
}

/** One more process in a container, up to its `wait_start`. Its directory goes with it. */
export async function createExec(context: TaskContext, exec: NewExec): Promise<Process> {
  checkId(exec.execId);
  const dir = path.join(taskFiles.execs(exec.taskDir), exec.execId);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const { v1, v2 } = exec.cgroup;
  try {
    const operations = compileExec(exec.spec, exec.process, {
      id: exec.taskId,
      stdio: { kind: 'monitor', dir, ...exec.stdio },
      start: { kind: 'connection' },
      machine: context.machine,
      init: exec.init,
      cgroup: { v1: v1.map(({ name, dir: at }) => ({ name, dir: at })), v2 },
      noNewKeyring: true,
      onWarning: (message) => context.log.warn(message, { container: exec.taskId, exec: exec.execId }),
    });
    const { connection, report } = await context.launcher.launch(operations);
    const ids = { containerId: exec.taskId, execId: exec.execId };
    context.events.publish('/tasks/exec-added', ids);
    return new LocalProcess({
      id: exec.execId,
      dir,
      pid: report.initPid,
      startTime: report.initStartTime,
      connection,
      operations,
      started: false,
      lost: settleLostProcess,
      onStarted: () => context.events.publish('/tasks/exec-started', { ...ids, pid: report.initPid }),
      onExit: ({ code, at }) => {
        rmSync(dir, { recursive: true, force: true });
        exec.forget();
        context.events.publish('/tasks/exit', { containerId: exec.taskId, id: exec.execId, pid: report.initPid, exitStatus: code, exitedAt: at });
      },
    });
  } catch (error) {
    rmSync(dir, { recursive: true, force: true });
    throw error;
  }
}
