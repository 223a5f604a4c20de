/** What several services' messages have. */
import { type Any, type FieldMask, type Timestamp, timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { Descriptor as WireDescriptor } from '../api/containerd/index.ts';
import { StrakeError } from '../base/index.ts';
import type { TypedValue } from '../core/index.ts';
import { mapValues, toTyped } from '../core/wire/index.ts';
import type { Descriptor } from '../oci/index.ts';

export function timestampOf(date: Date): Timestamp {
  return timestampFromDate(date);
}

/** InvalidArgument without one. */
export function fromWireDescriptor(descriptor: WireDescriptor | undefined): Descriptor {
  const { mediaType, digest, size, annotations } = required(descriptor, 'descriptor');
  return { mediaType, digest, size: Number(size), ...(Object.keys(annotations).length === 0 ? {} : { annotations }) };
}

export function typedMap(map: Readonly<Record<string, Any>>): Readonly<Record<string, TypedValue>> {
  return mapValues(map, toTyped);
}

/** InvalidArgument where a client left a message out that the call is about. */
export function required<T>(message: T | undefined, what: string): T {
  if (message === undefined) throw new StrakeError('InvalidArgument', `${what} is required`, { fields: { layer: 'containerd' } });
  return message;
}

/** What a field mask names: whole fields, and single entries of maps. */
export interface MaskedFields {
  has(field: string): boolean;
  /** Of the entries that the mask names as `FIELD.NAME`, what was given; the empty text, or `absent`, for one that was not. Undefined when it names none. */
  entries<T>(field: string, given: Readonly<Record<string, T>>, absent: T): Readonly<Record<string, T>> | undefined;
}

/** Reads a mask as containerd does: without paths all of `fields`. InvalidArgument, naming the object, for a path that is none. `maps` have entries that can be named alone. */
export function readMask(mask: FieldMask | undefined, object: string, fields: readonly string[], maps: readonly string[] = ['labels']): MaskedFields {
  const paths = mask === undefined || mask.paths.length === 0 ? fields : mask.paths;
  for (const path of paths)
    if (!(fields.includes(path) || maps.some((map) => path.startsWith(`${map}.`))))
      throw new StrakeError('InvalidArgument', `cannot update ${JSON.stringify(path)} field on ${object}`, { fields: { layer: 'containerd' } });
  return {
    has: (field) => paths.includes(field),
    entries(field, given, absent) {
      const names = paths.filter((path) => path.startsWith(`${field}.`)).map((path) => path.slice(field.length + 1));
      if (names.length === 0) return undefined;
      return Object.fromEntries(names.map((name) => [name, Object.hasOwn(given, name) ? (given[name] ?? absent) : absent]));
    },
  };
}

/** Lists are answered in blocks of so many, as containerd does. */
const blockLength = 100;

/** The items in blocks; the last may be short, and none is empty. */
export async function* inBlocks<T>(items: AsyncIterable<T>): AsyncGenerator<T[]> {
  let block: T[] = [];
  for await (const item of items) {
    block.push(item);
    if (block.length < blockLength) continue;
    yield block;
    block = [];
  }
  if (block.length > 0) yield block;
}
