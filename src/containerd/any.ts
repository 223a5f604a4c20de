/** Messages of any type, by their plain name: Go's typeurl, which containerd and its clients read them with, takes no prefix. */
import { create, type DescMessage, fromBinary, type MessageInitShape, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { type Any, AnySchema } from '@bufbuild/protobuf/wkt';
import { StrakeError } from '../base/index.ts';

export function packAny<Schema extends DescMessage>(schema: Schema, message: MessageInitShape<Schema>): Any {
  return create(AnySchema, { typeUrl: schema.typeName, value: toBinary(schema, create(schema, message)) });
}

/** The name of the message's type, whatever stands before it. */
export function typeOf(any: Any): string {
  return any.typeUrl.slice(any.typeUrl.lastIndexOf('/') + 1);
}

/** Undefined for another type. InvalidArgument for bytes that are not of it. */
export function unpackAny<Schema extends DescMessage>(any: Any, schema: Schema): MessageShape<Schema> | undefined {
  if (typeOf(any) !== schema.typeName) return undefined;
  try {
    return fromBinary(schema, any.value);
  } catch (cause) {
    throw new StrakeError('InvalidArgument', `message is not a ${schema.typeName}`, { cause, fields: { layer: 'containerd' } });
  }
}

/** Of no type: what an entry of a map is set to when it is to go. */
export const emptyValue = { typeUrl: '', value: new Uint8Array() } as const;
