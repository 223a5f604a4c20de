import type { OCIRegistry } from '../../api/containerd/index.ts';
import { createPusher } from '../../distribution/index.ts';
import { canonicalName } from '../../oci/index.ts';
import { remoteImage } from './registry-settings.ts';
import type { Transfer } from './transfers.ts';

/** From one registry to another, with every platform. It passes through the content store, where it is garbage afterwards. */
export async function mirror(transfer: Transfer, source: OCIRegistry, destination: OCIRegistry): Promise<void> {
  const { call, means, progress } = transfer;
  const { stores, signal } = call;
  const [from, to] = [await remoteImage(transfer, source), await remoteImage(transfer, destination)];
  const name = canonicalName(from.reference);
  progress.step({ event: `Pulling from OCI Registry (${source.reference})` });
  using lease = stores.leases.acquire();
  const target = await means.fetchTree({
    content: stores.content,
    unpacker: stores.unpacker,
    ...from,
    unpacks: () => false,
    lease,
    onFound: (descriptor, parent) => progress.found(descriptor, parent ?? name),
    onEvent: (descriptor, event) => progress.moved(descriptor, event),
    signal,
  });
  progress.step({ event: `Pushing to OCI Registry (${destination.reference})` });
  await createPusher({ ...to.registry, uploads: means.uploads, content: stores.content, leases: stores.leases })({
    reference: canonicalName(to.reference),
    target,
    credentials: to.credentials,
    signal,
  });
  progress.step({ event: `Completed push to OCI Registry (${destination.reference})` });
}
