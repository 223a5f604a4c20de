import { errorMessage, StrakeError } from '../../base/index.ts';

export interface StartFailure {
  /** The container's exit code: 127 no such command, 126 one that cannot be run, 128 anything else (moby setExitCodeFromError). */
  readonly exitCode: number;
  readonly error: StrakeError;
}

const commandMissing = ['executable file not found', 'no such file or directory', 'system cannot find the file specified'];
const commandUnusable = ['permission denied', 'is a directory'];
const wrongKind = 'not a directory';
const wrongKindHelp = ': Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type';

/** What `start` answers when the runtime could not make the container; clients find their exit status in this text. */
export function runtimeFailure(cause: unknown): StartFailure {
  const text = `failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: ${runcText(errorMessage(cause))}`;
  const lower = text.toLowerCase();
  const has = (parts: readonly string[]) => parts.some((part) => lower.includes(part));
  if (has(commandMissing)) return failure(127, text, cause);
  if (has(commandUnusable)) return failure(126, text, cause);
  if (lower.includes(wrongKind)) return failure(127, text + wrongKindHelp, cause);
  return { exitCode: 128, error: new StrakeError('Internal', text, { cause, fields: { layer: 'engine' } }) };
}

function failure(exitCode: number, text: string, cause: unknown): StartFailure {
  return { exitCode, error: new StrakeError('InvalidArgument', text, { cause, fields: { layer: 'engine' } }) };
}

function runcText(message: string): string {
  // A directory is executable for runc's look-up; execve then says EACCES.
  const whole = message.endsWith(': is a directory') ? `${message}: permission denied` : message;
  return `unable to start container process: error during container init: ${whole}`;
}
