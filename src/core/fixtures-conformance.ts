// What the conformance suites share.
import { expect } from 'bun:test';
import { rejection } from './fixtures.ts';

export interface TestedPlace {
  /** The real containerd: texts of errors are its own, and what it cannot do is not asked for. */
  readonly isPeer?: boolean;
  /** Over gRPC, which takes the text of the class from the end of a message. */
  readonly isRemote?: boolean;
}

/** That a promise rejects with a class and text, as in `NotFound: image "a": not found`. */
export async function expectRejection({ isPeer = false, isRemote = false }: TestedPlace, promise: Promise<unknown>, expected: string): Promise<void> {
  const compared = (text: string) =>
    isPeer ? text.slice(0, Math.max(0, text.indexOf(':'))) : isRemote ? text.replace(/: (?:not found|already exists)$/, '') : text;
  expect(compared(await rejection(promise))).toBe(compared(expected));
}

/** Texts that are no identifiers, and what is told of them. */
export const wrongIdentifiers: readonly (readonly [string, string])[] = [
  ['', 'identifier must not be empty'],
  ...['../x', 'a/b', '.a', 'a b', 'a\n'].map(
    (text) => [text, `identifier ${JSON.stringify(text)} must match ^[A-Za-z0-9]+(?:[._-](?:[A-Za-z0-9]+))*$`] as const,
  ),
  ['a'.repeat(77), `identifier "${'a'.repeat(77)}" greater than maximum length (76 characters)`],
];
