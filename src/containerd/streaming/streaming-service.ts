import { streaming } from '../../api/containerd/index.ts';
import { StrakeError } from '../../base/index.ts';
import { type GrpcService, grpcService, requireNamespace } from '../../rpc/grpc/index.ts';
import { unpackAny } from '../any.ts';
import { ServedStream } from './served-stream.ts';
import type { Streams } from './streams.ts';

/** A client opens a stream here, and names it in another call, which uses it. The call ends when that other one has closed the stream, or the client leaves. */
export function streamingService(streams: Streams): GrpcService {
  return grpcService(streaming.Streaming, {
    async *stream(requests, context) {
      const namespace = requireNamespace(context);
      const incoming = requests[Symbol.asyncIterator]();
      const first = await incoming.next();
      const name = first.done === true ? undefined : unpackAny(first.value, streaming.StreamInitSchema)?.id;
      if (name === undefined || name === '')
        throw new StrakeError('InvalidArgument', 'the first message of a stream must give its id', { fields: { layer: 'containerd' } });
      const stream = new ServedStream(name, incoming);
      streams.add(namespace, stream);
      try {
        yield* stream.messages(context.signal);
      } finally {
        streams.delete(namespace, stream);
      }
    },
  });
}
