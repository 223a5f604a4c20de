/** Everything that is stored, by namespace: local, or of another process over containerd's gRPC. */
import type { ContainerStore } from './containers/containers.ts';
import type { ContentStore } from './content/content.ts';
import type { EventBus, EventExchange } from './events/events.ts';
import type { ImageStore } from './images/images.ts';
import type { LeaseStore } from './leases/leases.ts';
import type { NamespaceStore } from './namespaces/namespaces.ts';
import type { SandboxStore } from './sandboxes/sandboxes.ts';
import type { Snapshotter } from './snapshots/snapshots.ts';

export interface NamespacedCore {
  readonly namespace: string;
  readonly content: ContentStore;
  readonly images: ImageStore;
  readonly containers: ContainerStore;
  readonly sandboxes: SandboxStore;
  /** Of clients. */
  readonly leaseStore: LeaseStore;
  /** The default one. */
  readonly snapshots: Snapshotter;
  /** By its name, `overlayfs` or `native`; NotFound for another. */
  snapshotter(name: string): Snapshotter;
  readonly events: EventBus;
  /** The same stores; what is made through them is added to a lease, before it is made. What they do is NotFound when there is no such lease. */
  withLease(id: string): NamespacedCore;
}

export interface Core {
  readonly namespaces: NamespaceStore;
  /** InvalidArgument for what cannot be a namespace; one comes into being when something is stored in it. */
  inNamespace(name: string): NamespacedCore;
  /** Of all namespaces. */
  readonly exchange: EventExchange;
}
