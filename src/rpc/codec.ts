import { create, type DescMessage, type DescMethod, fromBinary, type MessageInitShape, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { type ErrorCode, StrakeError } from '../base/index.ts';

export function isClientStreaming(method: DescMethod): boolean {
  return method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming';
}

export function isServerStreaming(method: DescMethod): boolean {
  return method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming';
}

/** `code` when `payload` is not such a message. */
export function decode<Description extends DescMessage>(description: Description, payload: Uint8Array, code: ErrorCode): MessageShape<Description> {
  try {
    return fromBinary(description, payload);
  } catch (error) {
    throw new StrakeError(code, `not a ${description.typeName}: ${(error as Error).message}`, { cause: error, fields: { layer: 'rpc' } });
  }
}

export function encode(description: DescMessage, message: MessageInitShape<DescMessage>): Uint8Array {
  return toBinary(description, create(description, message));
}
