import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';

/** containerd, pkg/shim/util_unix.go: where its tools (`ctr shim`) look for the shim of a container. */
const aliasDirectory = '/run/containerd/s';

export interface AliasedContainer {
  /** of containerd's gRPC */
  readonly address: string;
  readonly namespace: string;
  readonly id: string;
}

/** Makes the socket of the shim known by the container's own name too. */
export function makeAlias(container: AliasedContainer, socket: string): void {
  mkdirSync(aliasDirectory, { recursive: true, mode: 0o711 });
  removeAlias(container);
  symlinkSync(socket, aliasOf(container));
}

export function removeAlias(container: AliasedContainer): void {
  rmSync(aliasOf(container), { force: true });
}

function aliasOf({ address, namespace, id }: AliasedContainer): string {
  return path.join(
    aliasDirectory,
    createHash('sha256')
      .update(path.join(address, namespace, id))
      .digest('hex'),
  );
}
