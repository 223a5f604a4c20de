/** Events as messages: what is published in this process is fields, what goes from one to another is the bytes of a message. */
import {
  create,
  createRegistry,
  type DescField,
  type DescMessage,
  fromBinary,
  isMessage,
  type Message,
  type MessageInitShape,
  ScalarType,
  toBinary,
} from '@bufbuild/protobuf';
import { type Any, AnySchema, type Timestamp, TimestampSchema, timestampDate, timestampFromDate } from '@bufbuild/protobuf/wkt';
import { containerEvents, contentEvents, imageEvents, namespaceEvents, sandboxEvents, snapshotEvents, taskEvents } from '../../api/containerd/index.ts';
import type { EventFields, StrakeEvent } from '../events/events.ts';
import { messageOf } from '../events/topics.ts';

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
export function encodeEvent({ topic, payload, encoded }: Pick<StrakeEvent, 'topic' | 'payload' | 'encoded'>): Any | undefined {
  if (encoded !== undefined) return create(AnySchema, encoded);
  const schema = known.getMessage(messageOf(topic) ?? '');
  if (schema === undefined) return undefined;
  return create(AnySchema, { typeUrl: schema.typeName, value: toBinary(schema, toMessage(schema, payload)) });
}

/** Nothing of a type that is not known, or of bytes that are none of it. */
export function decodeEvent(event: Pick<Any, 'typeUrl' | 'value'>): EventFields {
  const schema = known.getMessage(event.typeUrl.slice(event.typeUrl.lastIndexOf('/') + 1));
  if (schema === undefined) return {};
  try {
    return toFields(fromBinary(schema, event.value));
  } catch {
    return {};
  }
}

/** Times are dates in fields, and integers of 64 bits may be numbers; fields that the message has not are left out. */
function toMessage(schema: DescMessage, fields: EventFields): Message {
  const values: Record<string, unknown> = {};
  for (const field of schema.fields) {
    const value = Object.hasOwn(fields, field.localName) ? fields[field.localName] : undefined;
    if (value !== undefined) values[field.localName] = toValue(field, value);
  }
  return create(schema, values as MessageInitShape<DescMessage>);
}

function toValue(field: DescField, value: unknown): unknown {
  if (value instanceof Date) return timestampFromDate(value);
  if (field.fieldKind === 'scalar' && field.scalar === ScalarType.INT64) return BigInt(value as number);
  return field.fieldKind === 'message' && !isMessage(value) ? toMessage(field.message, value as EventFields) : value;
}

function toFields(message: Message): EventFields {
  const { $typeName: _type, ...fields } = message as Message & Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      isMessage(value, TimestampSchema)
        ? timestampDate(value as Timestamp)
        : isMessage(value)
          ? toFields(value)
          : typeof value === 'bigint'
            ? Number(value)
            : value,
    ]),
  );
}
