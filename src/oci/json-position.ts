/** Runs of plain characters are one step each: an engine may remember every step of a string of megabytes. */
const string = /"[ !#-[\]-\uffff]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[ !#-[\]-\uffff]*)*"/y;
const scalar = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y;
const space = /[ \t\r\n]*/y;

export interface TextPosition {
  /** from 1 on */
  readonly line: number;
  readonly column: number;
}

/** Where a text stops being JSON (RFC 8259); undefined for one that is JSON. The engine's own message says what is wrong, but not where. */
export function invalidJsonPosition(text: string): TextPosition | undefined {
  const offset = invalidOffset(text);
  if (offset === undefined) return undefined;
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}

/** What may come next. */
type Expected = 'value' | 'element or ]' | 'key' | 'key or }' | 'colon' | 'comma or close' | 'end';

function invalidOffset(text: string): number | undefined {
  const open: ('{' | '[')[] = [];
  let expected: Expected = 'value';
  let at = 0;
  const match = (pattern: RegExp) => {
    pattern.lastIndex = at;
    const length = pattern.exec(text)?.[0].length;
    if (length === undefined) return false;
    at += length;
    return true;
  };
  const afterValue = (): Expected => (open.length === 0 ? 'end' : 'comma or close');
  for (;;) {
    match(space);
    if (at >= text.length) return expected === 'end' ? undefined : at;
    const mark: string = text[at] ?? '';
    if (expected === 'end') return at;
    if (expected === 'colon') {
      if (mark !== ':') return at;
      at += 1;
      expected = 'value';
    } else if (expected === 'comma or close') {
      if (mark === ',') expected = open.at(-1) === '{' ? 'key' : 'value';
      else if (mark === (open.at(-1) === '{' ? '}' : ']')) {
        open.pop();
        expected = afterValue();
      } else return at;
      at += 1;
    } else if (expected === 'key' || expected === 'key or }') {
      if (mark === '}' && expected === 'key or }') {
        open.pop();
        at += 1;
        expected = afterValue();
      } else if (match(string)) expected = 'colon';
      else return at;
    } else if (mark === ']' && expected === 'element or ]') {
      open.pop();
      at += 1;
      expected = afterValue();
    } else if (mark === '{' || mark === '[') {
      open.push(mark);
      at += 1;
      expected = mark === '{' ? 'key or }' : 'element or ]';
    } else if (match(string) || match(scalar)) expected = afterValue();
    else return at;
  }
}
