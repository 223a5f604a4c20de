import { collectOutput, untilAborted } from '../../base/index.ts';
import { demultiplex } from '../../docker-client/index.ts';
import type { Engine } from '../engine/engine.ts';
import { refuse } from '../refuse.ts';
import { createExec, execExitCode, killExec, startExec } from './exec.ts';

/** Of each stream; what is beyond is dropped. */
const maxOutputBytes = 16 << 20;

export interface ExecResult {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly exitCode: number;
}

/** `timeoutSeconds` 0: no end. DeadlineExceeded kills the command. */
export async function execSync(
  engine: Engine,
  containerId: string,
  command: readonly string[],
  timeoutSeconds: number,
  signal: AbortSignal,
): Promise<ExecResult> {
  const { Id, State } = await engine.inspect(containerId, 'container');
  if (!State.Running) throw refuse('FailedPrecondition', `container ${containerId} is not running`);
  const exec = await createExec(engine, Id, { command, stdin: false, stdout: true, stderr: true, terminal: false });
  const stream = await startExec(engine, exec, false);
  const limits = timeoutSeconds > 0 ? AbortSignal.any([signal, AbortSignal.timeout(timeoutSeconds * 1000)]) : signal;
  try {
    const { done, bytes } = collectOutput(demultiplex(stream.output), maxOutputBytes);
    await untilAborted(done, limits);
    return { ...bytes(), exitCode: await execExitCode(engine, exec) };
  } catch (error) {
    if (!limits.aborted) throw error;
    await killExec(engine, exec).catch(() => undefined);
    if (signal.aborted) throw error;
    throw refuse('DeadlineExceeded', `failed to exec in container: timeout ${timeoutSeconds}s exceeded`);
  } finally {
    stream.close();
  }
}
