import { randomId } from '../../base/index.ts';
import type { Process } from '../../core/tasks/index.ts';
import { type ProcessSpec, parseRuntimeSpec } from '../../oci/index.ts';
import type { CriContext } from '../context.ts';
import { invalid, refused } from '../refusals.ts';
import { execEnvironment } from '../spec/process.ts';
import type { Container } from './container.ts';

export interface ExecRequest {
  readonly command: readonly string[];
  readonly terminal: boolean;
  readonly stdin: boolean;
}

/** One more process beside the container's own, with what that has, up to its start. */
export async function openExec(context: CriContext, container: Container, { command, terminal, stdin }: ExecRequest): Promise<Process> {
  if (command.length === 0) throw invalid('no command specified');
  const task = container.runningTask();
  const { spec } = await context.core.containers.get(container.id);
  const { process } = parseRuntimeSpec(Buffer.from(spec.value).toString());
  if (process === undefined)
    throw refused('DataLoss', `the configuration of container ${JSON.stringify(container.id)} has no process`, { container: container.id });
  return await task.exec({
    execId: randomId(),
    process: { ...ownWith(process), args: command, env: execEnvironment(process.env ?? [], terminal), terminal },
    stdio: { terminal, openStdin: stdin, stdinOnce: stdin && !terminal },
  });
}

/** A window's size is that of a container's own terminal. */
function ownWith({ consoleSize: _, ...process }: ProcessSpec): ProcessSpec {
  return process;
}
