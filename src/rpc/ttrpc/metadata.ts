interface KeyValue {
  readonly key: string;
  readonly value: string;
}

export function metadataOf(headers: Headers | Readonly<Record<string, string>> | undefined): KeyValue[] {
  return headers === undefined ? [] : [...new Headers(headers)].map(([key, value]) => ({ key, value }));
}
