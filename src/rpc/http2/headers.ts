/** Names in lower case; an octet is a character. */
export type Header = readonly [name: string, value: string];

/** The first value of `name`. */
export function headerValue(headers: readonly Header[], name: string): string | undefined {
  return headers.find(([other]) => other === name)?.[1];
}
