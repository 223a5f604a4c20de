import { checkIdentifier, type Logger } from '../../base/index.ts';
import { type GrpcConnection, inNamespace } from '../../rpc/grpc/index.ts';
import { createRemoteContainerStore } from '../containers/remote.ts';
import { createRemoteContentStore } from '../content/remote.ts';
import type { Core, NamespacedCore } from '../core.ts';
import { createRemoteExchange } from '../events/remote.ts';
import { createRemoteImageStore } from '../images/remote.ts';
import { createRemoteLeaseStore } from '../leases/remote.ts';
import { createRemoteNamespaceStore } from '../namespaces/remote.ts';
import { createRemoteSandboxStore } from '../sandboxes/remote.ts';
import { createRemoteSnapshotter } from '../snapshots/remote.ts';

export interface RemoteCoreOptions {
  /** Without a namespace of its own. */
  readonly connection: GrpcConnection;
  readonly log: Logger;
  /** The default one, `overlayfs` unless told. */
  readonly snapshotter?: string;
}

/** The stores of a containerd, ours or the real one. */
export function openRemoteCore({ connection, log, snapshotter = 'overlayfs' }: RemoteCoreOptions): Core {
  const exchange = createRemoteExchange(connection, log);
  const open = (namespace: string, lease?: string): NamespacedCore => {
    const own = connection.with(inNamespace(namespace, lease));
    const named = (name: string) => createRemoteSnapshotter(own, name);
    return {
      namespace,
      content: createRemoteContentStore(own),
      images: createRemoteImageStore(own),
      containers: createRemoteContainerStore(own),
      sandboxes: createRemoteSandboxStore(own),
      leaseStore: createRemoteLeaseStore(own),
      snapshots: named(snapshotter),
      snapshotter: named,
      events: exchange.in(namespace),
      withLease: (id) => open(namespace, id),
    };
  };
  return {
    namespaces: createRemoteNamespaceStore(connection),
    inNamespace(name) {
      checkIdentifier(name, 'namespace validation');
      return open(name);
    },
    exchange,
  };
}
