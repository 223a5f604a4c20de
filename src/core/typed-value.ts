/** Bytes of a type that their writer and reader know, and nobody between needs to: containerd's `Any`. */
export interface TypedValue {
  /** A protobuf message's name, or a Go type's path, whose values are JSON. */
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

/** For a column: as text where it is one, as JSON mostly is, so that it can be read by people too. */
export function typedValueToJson({ typeUrl, value }: TypedValue): Readonly<Record<string, string>> {
  const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString();
  return Buffer.from(text).equals(value) ? { typeUrl, text } : { typeUrl, base64: Buffer.from(value).toString('base64') };
}

export function typedValueFromJson(stored: unknown): TypedValue {
  const { typeUrl = '', text, base64 = '' } = (stored ?? {}) as { readonly typeUrl?: string; readonly text?: string; readonly base64?: string };
  return { typeUrl, value: text === undefined ? Buffer.from(base64, 'base64') : Buffer.from(text) };
}
