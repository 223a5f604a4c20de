import { StrakeError } from './errors.ts';

/** containerd's rule of the names that it makes paths of: namespaces, containers, leases (pkg/identifiers). */
const identifier = /^[A-Za-z0-9]+(?:[._-](?:[A-Za-z0-9]+))*$/;
const maxIdentifierLength = 76;

/** InvalidArgument, in containerd's words, where `value` is no identifier. */
export function checkIdentifier(value: string): void {
  const problem = identifierProblem(value);
  if (problem !== undefined) throw new StrakeError('InvalidArgument', problem);
}

function identifierProblem(value: string): string | undefined {
  if (value === '') return 'identifier must not be empty';
  const quoted = `identifier ${JSON.stringify(value)}`;
  if (Buffer.byteLength(value) > maxIdentifierLength) return `${quoted} greater than maximum length (${maxIdentifierLength} characters)`;
  return identifier.test(value) ? undefined : `${quoted} must match ${identifier.source}`;
}
