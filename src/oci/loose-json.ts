/**
 * Whether a text that the engine's JSON.parse has read may still be no JSON (RFC 8259): QuickJS takes escapes of JavaScript (`\x41`, `\v`), and numbers like
 * `-01` and `1.`. Cheap, so that it can be asked of each text: what looks like such a number may stand in a string.
 */
export function isDoubtful(text: string): boolean {
  return hasForeignEscape(text) || hasOddDot(text) || (text.includes('-0') && /-0[0-9]/.test(text));
}

const knownEscape = /["\\/bfnrt]|u[0-9a-fA-F]{4}/y;

function hasForeignEscape(text: string): boolean {
  for (let at = text.indexOf('\\'); at >= 0; at = text.indexOf('\\', knownEscape.lastIndex)) {
    knownEscape.lastIndex = at + 1;
    if (!knownEscape.test(text)) return true;
  }
  return false;
}

function hasOddDot(text: string): boolean {
  for (let at = text.indexOf('.'); at >= 0; at = text.indexOf('.', at + 1)) if (isDigit(text[at - 1]) && !isDigit(text[at + 1])) return true;
  return false;
}

function isDigit(character = ''): boolean {
  return character >= '0' && character <= '9';
}
