import type { Core } from '../core/index.ts';
import type { GrpcService } from '../rpc/grpc/index.ts';
import { introspectionService } from './introspection/service.ts';
import { namespacesService } from './namespaces/service.ts';
import { versionService } from './version/service.ts';

export interface ContainerdOptions {
  readonly core: Core;
  /** The data root, such as /var/lib/strake. */
  readonly root: string;
  readonly version: string;
  /** Of the sources. */
  readonly revision: string;
}

/** containerd's services over a core. */
export function containerdServices({ core, root, version, revision }: ContainerdOptions): readonly GrpcService[] {
  const services = [namespacesService(core.namespaces), versionService({ version, revision })];
  return [...services, introspectionService({ root, services })];
}
