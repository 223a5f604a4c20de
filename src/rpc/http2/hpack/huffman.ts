import { ConnectionError, Http2Code } from '../errors.ts';

/**
 * Lengths of the codes (RFC 7541, appendix B), a letter for each octet and a last one for the end of the string: `a` is 5 bits, `z` is 30.
 * The code is canonical: codes of one length count upwards in the order of the octets, so nothing else need be told.
 */
const codeLengths =
  'isxxxxxxxtzxxzxxxxxxxxzxxxxxxxxxbffhibdgffdgdbbbaaabbbbbbbcdkbhfibccccccccccccccccccccccdcdioijbkabababbbaccbbbabcbaabccccckgjix' +
  'prpprrrsrssssststtrstssssqrsrsstrqprrssqsrrtqrssqqrqsrssprrrsrrsvvporsruvvvwwvtuoqvwwvwtqqvvxwwwptpqrqqsrruuttvsvwvvwwwwwxwwwwwvz';

const shortest = 5;
const longest = 30;
const endOfString = 256;

/** Symbols by length and then by octet, which is the order of their codes. */
const symbols: number[] = [];
/** Of each length: the first code, how many there are, and where their symbols begin. */
const firstCodes: number[] = [];
const counts: number[] = [];
const starts: number[] = [];

let nextCode = 0;
for (let length = shortest; length <= longest; length++) {
  const letter = String.fromCharCode('a'.charCodeAt(0) + length - shortest);
  firstCodes[length] = nextCode;
  starts[length] = symbols.length;
  for (let symbol = 0; symbol <= endOfString; symbol++) if (codeLengths[symbol] === letter) symbols.push(symbol);
  counts[length] = symbols.length - (starts[length] ?? 0);
  nextCode = (nextCode + (counts[length] ?? 0)) << 1;
}

/** The octets of a string, one a character. Throws a ConnectionError for what is no encoding, and for padding of a whole octet or more. */
export function decodeHuffman(bytes: Uint8Array): string {
  const octets: number[] = [];
  let code = 0;
  let length = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      code = (code << 1) | ((byte >> bit) & 1);
      length += 1;
      const index = code - (firstCodes[length] ?? Number.POSITIVE_INFINITY);
      if (index >= 0 && index < (counts[length] ?? 0)) {
        const symbol = symbols[(starts[length] ?? 0) + index] ?? endOfString;
        if (symbol === endOfString) throw new ConnectionError(Http2Code.compressionError, 'a string with an end inside');
        octets.push(symbol);
        code = 0;
        length = 0;
      } else if (length >= longest) throw new ConnectionError(Http2Code.compressionError, 'a string that is not Huffman encoded');
    }
  }
  // Padding is the beginning of the end of the string: all ones.
  if (length > 7 || code !== (1 << length) - 1) throw new ConnectionError(Http2Code.compressionError, 'a string with wrong padding');
  return Buffer.from(octets).toString('latin1');
}
