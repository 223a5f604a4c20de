import { collectOutput, isCode } from '../../base/index.ts';
import type { Attachment, Process } from '../../core/tasks/index.ts';
import type { CriContext } from '../context.ts';
import { refused } from '../refusals.ts';
import { sigkill } from '../signals.ts';
import type { Container } from './container.ts';
import { openExec } from './exec.ts';
import { within } from './within.ts';

export interface ExecResult {
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly exitCode: number;
}

/** Of each stream; what is more is thrown away, and the command goes on (CVE-2022-31030). */
const maxOutputBytes = 16 << 20;
/** Others may hold the command's streams open after its end. */
const drainMs = 10_000;

/** Runs a command to its end. DeadlineExceeded when it takes longer than that (0: it may take as long as the caller waits); it is killed then. */
export async function execSync(
  context: CriContext,
  container: Container,
  command: readonly string[],
  timeoutSeconds: number,
  signal: AbortSignal,
): Promise<ExecResult> {
  const process = await openExec(context, container, { command, terminal: false, stdin: false });
  const limit = timeoutSeconds > 0 ? AbortSignal.timeout(timeoutSeconds * 1000) : undefined;
  const over = limit === undefined ? signal : AbortSignal.any([signal, limit]);
  let attachment: Attachment | undefined;
  try {
    attachment = await process.attach({ stdin: false, stdout: true, stderr: true });
    const output = collectOutput(attachment.output, maxOutputBytes);
    await process.start();
    const { code } = await process.wait(over);
    await within(output.done, drainMs);
    return { ...output.bytes(), exitCode: code };
  } catch (error) {
    await end(process);
    if (limit?.aborted && !signal.aborted)
      throw refused(
        'DeadlineExceeded',
        `failed to exec in container: timeout ${timeoutSeconds}s exceeded: context deadline exceeded`,
        { container: container.id },
        error,
      );
    throw error;
  } finally {
    attachment?.close();
  }
}

/** One that nobody waits for any more. */
async function end(process: Process): Promise<void> {
  const { status } = process.state();
  try {
    if (status === 'created') await process.delete();
    else if (status !== 'stopped') await process.kill(sigkill);
  } catch (error) {
    if (!isCode(error, 'NotFound')) throw error;
  }
}
