import fc from 'fast-check';
import { parseChallenges } from '../../src/distribution/auth/challenge.ts';
import { accepted, check } from '../target.ts';

const tokenCharacter = fc.constantFrom(..."!#$%&'*+.^_`|~0123456789ABCabc-");
const token = fc.string({ unit: tokenCharacter, minLength: 1, maxLength: 8 });
const quotable = fc.string({ maxLength: 12, unit: fc.constantFrom(...'abc ,=:/"\\\t;<>?&é') });
const quote = (value: string) => `"${value.replace(/[\\"]/g, '\\$&')}"`;
const parameter = fc.tuple(fc.oneof(fc.constantFrom('realm', 'service', 'scope', '__proto__'), token), quotable);
/** A scheme is not followed by a parameter's sign. */
const challenge = fc.record({ scheme: fc.oneof(fc.constantFrom('Bearer', 'Basic', 'Negotiate'), token), parameters: fc.array(parameter, { maxLength: 4 }) });
const space = fc.constantFrom('', ' ', '\t', '  ');

const wellFormed = fc.tuple(fc.array(challenge, { minLength: 1, maxLength: 4 }), space);
const piece = fc.oneof(token, fc.constantFrom('Bearer ', 'realm="', '="', '\\"', '"', ',', ', ', '=', ' ', '\u0000'), quotable.map(quote));
const mixed = fc.oneof(
  fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join('')),
  fc.string({ maxLength: 60, unit: 'binary' }),
  fc.tuple(piece, fc.nat({ max: 20_000 })).map(([text, times]) => text.repeat(times)),
);

/** A registry's challenges: any header is read in its time, and one that is well formed as it was meant. */
export function challenges(runs: number, seed: number): void {
  const property = fc.property(wellFormed, mixed, ([list, gap], text) => {
    for (const { scheme, parameters } of accepted(() => parseChallenges(text)) ?? [])
      for (const name of [scheme, ...parameters.keys()])
        check(/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name), `${JSON.stringify(name)} of ${JSON.stringify(text.slice(0, 100))}`);
    const header = list
      .map(({ scheme, parameters }) => `${scheme} ${parameters.map(([name, value]) => `${name}${gap}=${gap}${quote(value)}`).join(`${gap},${gap}`)}`)
      .join(', ');
    const read = parseChallenges(header).map(({ scheme, parameters }) => [scheme, [...parameters]]);
    const meant = list.map(({ scheme, parameters }) => [scheme.toLowerCase(), [...new Map(parameters.map(([name, value]) => [name.toLowerCase(), value]))]]);
    check(JSON.stringify(read) === JSON.stringify(meant), `${JSON.stringify(header)} is read as ${JSON.stringify(read)}`);
  });
  fc.assert(property, { numRuns: runs, seed });
}
