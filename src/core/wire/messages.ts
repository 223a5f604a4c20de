/** What the messages of several of containerd's services have in common, and what the stores have instead. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { type Any, AnySchema, type Timestamp, timestampDate } from '@bufbuild/protobuf/wkt';
import type { DescriptorSchema, Descriptor as WireDescriptor } from '../../api/containerd/index.ts';
import { StrakeError } from '../../base/index.ts';
import type { Descriptor } from '../../oci/index.ts';
import type { TypedValue } from '../typed-value.ts';

export function dateOf(timestamp: Timestamp | undefined): Date {
  return timestamp === undefined ? new Date(0) : timestampDate(timestamp);
}

export function toWireDescriptor({ mediaType, digest, size, annotations }: Descriptor): MessageInitShape<typeof DescriptorSchema> {
  return { mediaType, digest, size: BigInt(size), annotations: { ...annotations } };
}

export function fromWireDescriptor({ mediaType, digest, size, annotations }: WireDescriptor): Descriptor {
  return { mediaType, digest, size: Number(size), ...(Object.keys(annotations).length === 0 ? {} : { annotations }) };
}

export function toAny({ typeUrl, value }: TypedValue): Any {
  return create(AnySchema, { typeUrl, value });
}

export function toTyped({ typeUrl, value }: Pick<Any, 'typeUrl' | 'value'>): TypedValue {
  return { typeUrl, value };
}

export function mapValues<From, To>(map: Readonly<Record<string, From>>, change: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, change(value)]));
}

/** Internal: a server that answers without what the answer is about. */
export function answered<T>(message: T | undefined, what: string): T {
  if (message === undefined) throw new StrakeError('Internal', `the answer has no ${what}`, { fields: { layer: 'core' } });
  return message;
}

/** The names of entries of a map as paths of a field mask. */
export function entryPaths(field: string, map: Readonly<Record<string, unknown>> | undefined): string[] {
  return Object.keys(map ?? {}).map((name) => `${field}.${name}`);
}
