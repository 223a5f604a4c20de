/** Events as messages: what is published in this process is fields, what clients publish and get is the bytes of a message. */
import { create, createRegistry, type DescMessage, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { type Any, AnySchema } from '@bufbuild/protobuf/wkt';
import { containerEvents, contentEvents, imageEvents, namespaceEvents, sandboxEvents, snapshotEvents, taskEvents } from '../../api/containerd/index.ts';
import { type EventFields, messageOf, type StrakeEvent } from '../../core/index.ts';
import { typeOf } from '../any.ts';

const known = createRegistry(
  containerEvents.file_containerd_events_container,
  contentEvents.file_containerd_events_content,
  imageEvents.file_containerd_events_image,
  namespaceEvents.file_containerd_events_namespace,
  sandboxEvents.file_containerd_events_sandbox,
  snapshotEvents.file_containerd_events_snapshot,
  taskEvents.file_containerd_events_task,
);

/** Undefined for an event that has no message, as those of the Engine. */
export function encodeEvent({ topic, payload, encoded }: StrakeEvent): Any | undefined {
  if (encoded !== undefined) return create(AnySchema, encoded);
  const schema = known.getMessage(messageOf(topic) ?? '');
  if (schema === undefined) return undefined;
  return create(AnySchema, { typeUrl: schema.typeName, value: toBinary(schema, create(schema, payload as MessageInitShape<DescMessage>)) });
}

/** What filters see of a client's event: nothing of a type that is not known, or of bytes that are none of it. */
export function decodeEvent(event: Any): EventFields {
  const schema = known.getMessage(typeOf(event));
  if (schema === undefined) return {};
  try {
    return fromBinary(schema, event.value) as unknown as EventFields;
  } catch {
    return {};
  }
}
