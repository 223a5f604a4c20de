import type { LocalCore } from '../core/index.ts';
import type { GrpcService } from '../rpc/grpc/index.ts';
import { introspectionService } from './introspection/service.ts';
import { namespacesService } from './namespaces/service.ts';
import { type StoreServicesOptions, storeServices } from './stores.ts';
import { versionService } from './version/service.ts';

export interface ContainerdOptions extends StoreServicesOptions {
  readonly core: StoreServicesOptions['core'] & Pick<LocalCore, 'namespaces'>;
  /** The data root, such as /var/lib/strake. */
  readonly root: string;
  readonly version: string;
  /** Of the sources. */
  readonly revision: string;
}

/** containerd's services over a core. */
export function containerdServices({ root, version, revision, ...options }: ContainerdOptions): readonly GrpcService[] {
  const services = [...storeServices(options), namespacesService(options.core.namespaces), versionService({ version, revision })];
  return [...services, introspectionService({ root, services })];
}
