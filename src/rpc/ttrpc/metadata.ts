import { StrakeError } from '../../base/index.ts';

interface KeyValue {
  readonly key: string;
  readonly value: string;
}

/** InvalidArgument for what could not be a header of HTTP: then gRPC could not carry it either. */
export function headersOf(metadata: readonly KeyValue[]): Headers {
  const headers = new Headers();
  for (const { key, value } of metadata) {
    try {
      headers.append(key, value);
    } catch (error) {
      throw new StrakeError('InvalidArgument', `metadata ${JSON.stringify(key)} is not a header`, { cause: error, fields: { layer: 'ttrpc' } });
    }
  }
  return headers;
}

export function metadataOf(headers: Headers | Readonly<Record<string, string>> | undefined): KeyValue[] {
  return headers === undefined ? [] : [...new Headers(headers)].map(([key, value]) => ({ key, value }));
}
