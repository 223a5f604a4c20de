import { StrakeError } from './errors.ts';

/** containerd's rule of the names that it makes paths of: namespaces, containers, sandboxes (pkg/identifiers). */
const identifier = /^[A-Za-z0-9]+(?:[._-](?:[A-Za-z0-9]+))*$/;
const maxIdentifierLength = 76;

/** InvalidArgument, in containerd's words, where `value` is no identifier; `what` is what it stands for. Safe as a file name and in a cgroup path. */
export function checkIdentifier(value: string, what?: string): void {
  const problem = identifierProblem(value);
  if (problem !== undefined) throw new StrakeError('InvalidArgument', what === undefined ? problem : `${what}: ${problem}`);
}

function identifierProblem(value: string): string | undefined {
  if (value === '') return 'identifier must not be empty';
  const quoted = `identifier ${JSON.stringify(value.slice(0, 80))}`;
  if (Buffer.byteLength(value) > maxIdentifierLength) return `${quoted} greater than maximum length (${maxIdentifierLength} characters)`;
  return identifier.test(value) ? undefined : `${quoted} must match ${identifier.source}`;
}
