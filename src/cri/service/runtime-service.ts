import { criRuntime } from '../../api/cri/index.ts';
import { type GrpcService, grpcService } from '../../rpc/grpc/index.ts';
import type { CriContext } from '../context.ts';
import { measuredOf } from '../measured.ts';
import { type MeterOptions, statsCalls } from '../stats/index.ts';
import { checkpointCalls } from './checkpoint-calls.ts';
import { containerCalls } from './container-calls.ts';
import { machineCalls } from './machine-calls.ts';
import { podCalls } from './pod-calls.ts';
import { processCalls, type StreamUrls } from './process-calls.ts';

/** All calls of the interface but those about images. */
export function runtimeService(context: CriContext, streams: StreamUrls, meter: MeterOptions): GrpcService {
  return grpcService(criRuntime.RuntimeService, {
    ...machineCalls(context),
    ...podCalls(context),
    ...containerCalls(context),
    ...processCalls(context, streams),
    ...statsCalls(measuredOf(context), meter),
    ...checkpointCalls(context),
  });
}
