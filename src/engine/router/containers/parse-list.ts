import { StrakeError } from '../../../base/index.ts';
import type { JsonObject } from '../../server/index.ts';

/** A list of anything; absent and null are empty. */
export function list<T>(body: JsonObject, name: string, parse: (item: unknown) => T): readonly T[] {
  const value = Object.hasOwn(body, name) ? body[name] : undefined;
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new StrakeError('InvalidArgument', `invalid JSON: ${name} must be a list`);
  return value.map(parse);
}
