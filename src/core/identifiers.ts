import { StrakeError } from '../base/index.ts';

/** containerd's identifiers (pkg/identifiers), of namespaces, containers and sandboxes: safe as a file name and in a cgroup path. */
const pattern = /^[A-Za-z0-9]+(?:[._-](?:[A-Za-z0-9]+))*$/;
const maxLength = 76;

/** InvalidArgument when it is none; `what` is what it stands for. */
export function checkIdentifier(text: string, what: string): void {
  if (text.length > maxLength || !pattern.test(text))
    throw new StrakeError('InvalidArgument', `${what} ${JSON.stringify(text.slice(0, 80))} is not valid`, { fields: { layer: 'core' } });
}
