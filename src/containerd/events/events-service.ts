import type { MessageInitShape } from '@bufbuild/protobuf';
import { type Any, timestampDate } from '@bufbuild/protobuf/wkt';
import { type EnvelopeSchema, events } from '../../api/containerd/index.ts';
import { StrakeError } from '../../base/index.ts';
import type { EventExchange, StrakeEvent } from '../../core/index.ts';
import { decodeEvent, encodeEvent, toTyped } from '../../core/wire/index.ts';
import { type GrpcService, grpcService, requireNamespace, sharedMessage } from '../../rpc/grpc/index.ts';
import { required, timestampOf } from '../messages.ts';

/** Events of all namespaces, in and out. */
export function eventsService(exchange: EventExchange, now: () => Date = () => new Date()): GrpcService {
  /** All subscribers get the same event; undefined for one that has no message. */
  const envelopes = new WeakMap<StrakeEvent, EnvelopeInit | undefined>();
  const envelopeOf = (event: StrakeEvent) => {
    if (!envelopes.has(event)) envelopes.set(event, toEnvelope(event));
    return envelopes.get(event);
  };
  return grpcService(events.Events, {
    publish({ topic, event }, context) {
      exchange.forward(eventOf(requireNamespace(context), topic, now(), event));
      return {};
    },
    forward({ envelope }) {
      const { namespace, topic, timestamp, event } = required(envelope, 'envelope');
      if (timestamp === undefined) throw new StrakeError('InvalidArgument', 'timestamp must be set on forwarded event', { fields: { layer: 'containerd' } });
      exchange.forward(eventOf(namespace, topic, timestampDate(timestamp), event));
      return {};
    },
    async *subscribe({ filters }, { signal }) {
      for await (const event of exchange.subscribe({ filters, signal })) {
        const envelope = envelopeOf(event);
        if (envelope !== undefined) yield envelope;
      }
    },
  });
}

type EnvelopeInit = MessageInitShape<typeof EnvelopeSchema>;

function toEnvelope(event: StrakeEvent): EnvelopeInit | undefined {
  const { timestamp, namespace, topic } = event;
  const encoded = encodeEvent(event);
  return encoded && sharedMessage({ timestamp: timestampOf(timestamp), namespace, topic, event: encoded });
}

function eventOf(namespace: string, topic: string, timestamp: Date, event: Any | undefined): StrakeEvent {
  if (event === undefined) return { namespace, topic, timestamp, payload: {} };
  return { namespace, topic, timestamp, payload: decodeEvent(event), encoded: toTyped(event) };
}
