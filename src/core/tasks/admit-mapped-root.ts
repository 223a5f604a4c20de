import { chmodSync, chownSync } from 'node:fs';
import type { RuntimeSpec } from '../../oci/index.ts';

/** Lets whom the container's root is mapped to pass through the directory, to the root filesystem below it, and nobody else: 0710 of that group, as containerd has it. */
export function admitMappedRoot(directory: string, { linux }: RuntimeSpec): void {
  const mapped = linux?.gidMappings?.find(({ containerID }) => containerID === 0)?.hostID;
  if (mapped === undefined) return;
  chownSync(directory, 0, mapped);
  chmodSync(directory, 0o710);
}
