/** One challenge of a WWW-Authenticate header (RFC 9110 11.6.1). Names are lower case. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const maxHeaderLength = 16 << 10;
const token = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const space = /[ \t]*/y;

/** Parses one or several challenges, comma separated; what follows something unreadable is left out. */
export function parseChallenges(header: string): Challenge[] {
  const text = header.slice(0, maxHeaderLength);
  const challenges: Challenge[] = [];
  let parameters: Map<string, string> | undefined;
  let offset = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = offset;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) offset += found.length;
    return found;
  };
  while (offset < text.length) {
    match(/[ \t,]*/y);
    const name = match(token);
    if (name === undefined) break;
    match(space);
    if (text[offset] === '=' && parameters !== undefined) {
      offset++;
      match(space);
      const value = text[offset] === '"' ? unquote(match(/"(?:[^"\\]|\\.)*"/y)) : match(token);
      if (value === undefined) break;
      parameters.set(name.toLowerCase(), value);
    } else {
      parameters = new Map();
      challenges.push({ scheme: name.toLowerCase(), parameters });
    }
  }
  return challenges;
}

function unquote(text: string | undefined): string | undefined {
  return text?.slice(1, -1).replace(/\\(.)/g, '$1');
}
