/** Readers of fields of untyped JSON bodies. `null` counts as absent, as in Go. Each throws InvalidArgument that names the field. */
import { StrakeError } from '../../base/index.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

export function asObject(value: unknown, name: string): JsonObject {
  if (value === null || value === undefined) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw mismatch(name, 'an object');
  return value as JsonObject;
}

export function optionalObject(object: JsonObject, name: string): JsonObject | undefined {
  const value = field(object, name);
  return value === undefined ? undefined : asObject(value, name);
}

export function optionalString(object: JsonObject, name: string): string | undefined {
  const value = field(object, name);
  if (value === undefined || typeof value === 'string') return value;
  throw mismatch(name, 'a string');
}

export function optionalBoolean(object: JsonObject, name: string): boolean | undefined {
  const value = field(object, name);
  if (value === undefined || typeof value === 'boolean') return value;
  throw mismatch(name, 'a boolean');
}

/** An integer. Those beyond 2^53 have lost their low bits: JSON.parse has no others. */
export function optionalInteger(object: JsonObject, name: string): number | undefined {
  const value = field(object, name);
  if (value === undefined || (typeof value === 'number' && Number.isInteger(value))) return value;
  throw mismatch(name, 'an integer');
}

export function optionalStrings(object: JsonObject, name: string): readonly string[] | undefined {
  const value = field(object, name);
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  throw mismatch(name, 'a list of strings');
}

export function optionalStringMap(object: JsonObject, name: string): Readonly<Record<string, string>> | undefined {
  const value = field(object, name);
  if (value === undefined) return undefined;
  const map = asObject(value, name);
  if (Object.values(map).every((item) => typeof item === 'string')) return map as Readonly<Record<string, string>>;
  throw mismatch(name, 'a map of strings');
}

function field(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? (object[name] ?? undefined) : undefined;
}

function mismatch(name: string, expected: string): StrakeError {
  return new StrakeError('InvalidArgument', `invalid JSON: ${name} must be ${expected}`);
}
