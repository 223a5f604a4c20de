import type { DescService } from '@bufbuild/protobuf';
import type { ConnectRouter, ServiceImpl } from '@connectrpc/connect';

/** A service and what answers its calls. */
export interface GrpcService {
  readonly description: DescService;
  register(router: ConnectRouter): void;
}

/** Handlers throw StrakeErrors; whole services alone, so that a call that is left out does not compile. */
export function grpcService<T extends DescService>(description: T, implementation: ServiceImpl<T>): GrpcService {
  return { description, register: (router) => void router.service(description, implementation) };
}
