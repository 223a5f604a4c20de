import type { DescService } from '@bufbuild/protobuf';
import { type ServedService, type ServiceImplementation, servedService } from '../service.ts';

export type GrpcService = ServedService;

/** A service and what answers its calls. Handlers throw StrakeErrors; whole services alone, so that a call that is left out does not compile. */
export function grpcService<T extends DescService>(description: T, implementation: ServiceImplementation<T>): GrpcService {
  return servedService(description, implementation);
}
