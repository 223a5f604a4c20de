import { StrakeError } from '../base/index.ts';

/** A call's metadata. InvalidArgument for what could not be a header of HTTP: then no proxy could carry it either. */
export function headersOf(pairs: Iterable<readonly [name: string, value: string]>): Headers {
  const headers = new Headers();
  for (const [name, value] of pairs) {
    try {
      headers.append(name, value);
    } catch (error) {
      throw new StrakeError('InvalidArgument', `metadata ${JSON.stringify(name)} is not a header`, { cause: error, fields: { layer: 'rpc' } });
    }
  }
  return headers;
}
