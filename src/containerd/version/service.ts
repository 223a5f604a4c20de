import { version } from '../../api/containerd/index.ts';
import { type GrpcService, grpcService } from '../../rpc/grpc/index.ts';

export function versionService(product: { readonly version: string; readonly revision: string }): GrpcService {
  return grpcService(version.Version, { version: () => product });
}
