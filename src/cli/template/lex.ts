import { TemplateError } from './template-error.ts';

export type Token =
  /** `.A.B`; glued: right behind a variable or a parenthesis, whose fields these are */
  | { readonly kind: 'field'; readonly names: readonly string[]; readonly glued: boolean }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'word'; readonly name: string }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'dot' | 'pipe' | 'open' | 'close' | 'declare' | 'assign' | 'comma' };

export type Segment = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'action'; readonly tokens: readonly Token[] };

const patterns: readonly (readonly [RegExp, (match: RegExpExecArray) => Token | undefined])[] = [
  [/^\s+/, () => undefined],
  [/^"((?:[^"\\]|\\.)*)"/, (match) => ({ kind: 'string', value: JSON.parse(match[0]) as string })],
  [/^`([^`]*)`/, (match) => ({ kind: 'string', value: match[1] ?? '' })],
  [/^-?\d+(?:\.\d+)?/, (match) => ({ kind: 'number', value: Number(match[0]) })],
  [/^\.(\w+(?:\.\w+)*)/, (match) => ({ kind: 'field', names: (match[1] ?? '').split('.'), glued: false })],
  [/^\./, () => ({ kind: 'dot' })],
  [/^\$(\w*)/, (match) => ({ kind: 'variable', name: match[1] ?? '' })],
  [/^:=/, () => ({ kind: 'declare' })],
  [/^=/, () => ({ kind: 'assign' })],
  [/^\|/, () => ({ kind: 'pipe' })],
  [/^\(/, () => ({ kind: 'open' })],
  [/^\)/, () => ({ kind: 'close' })],
  [/^,/, () => ({ kind: 'comma' })],
  [/^[A-Za-z_]\w*/, (match) => ({ kind: 'word', name: match[0] })],
];

/** Splits a Go template into text and actions; `{{-` and `-}}` trim white space, comments vanish. */
export function lexTemplate(source: string): Segment[] {
  const segments: Segment[] = [];
  let trimNext = false;
  for (let rest = source; rest !== ''; ) {
    const start = rest.indexOf('{{');
    const text = start < 0 ? rest : rest.slice(0, start);
    const trimBefore = start >= 0 && /^\{\{-\s/.test(rest.slice(start));
    pushText(segments, text, trimNext, trimBefore);
    if (start < 0) break;
    const end = closingBraces(rest, start + 2);
    if (end < 0) throw new TemplateError('unclosed action');
    let inner = rest.slice(start + 2, end);
    if (trimBefore) inner = inner.slice(1);
    trimNext = /\s-$/.test(inner);
    if (trimNext) inner = inner.slice(0, -1);
    if (!/^\s*\/\*[\s\S]*\*\/\s*$/.test(inner)) segments.push({ kind: 'action', tokens: lexAction(inner) });
    rest = rest.slice(end + 2);
  }
  return segments;
}

function pushText(segments: Segment[], text: string, trimStart: boolean, trimEnd: boolean): void {
  let trimmed = trimStart ? text.trimStart() : text;
  if (trimEnd) trimmed = trimmed.trimEnd();
  if (trimmed !== '') segments.push({ kind: 'text', text: trimmed });
}

/** Where `}}` closes the action, passing by strings. */
function closingBraces(text: string, from: number): number {
  let quote = '';
  for (let index = from; index < text.length; index += 1) {
    const char = text[index] ?? '';
    if (quote !== '') {
      if (char === '\\' && quote === '"') index += 1;
      else if (char === quote) quote = '';
    } else if (char === '"' || char === '`') quote = char;
    else if (char === '}' && text[index + 1] === '}') return index;
  }
  return -1;
}

function lexAction(source: string): Token[] {
  const tokens: Token[] = [];
  let spaced = true;
  for (let rest = source; rest !== ''; ) {
    let matched = false;
    for (const [pattern, make] of patterns) {
      const match = pattern.exec(rest);
      if (!match) continue;
      const token = make(match);
      if (token) tokens.push(token.kind === 'field' ? { ...token, glued: !spaced } : token);
      spaced = token === undefined;
      rest = rest.slice(match[0].length);
      matched = true;
      break;
    }
    if (!matched) throw new TemplateError(`unexpected "${rest[0]}" in operand`);
  }
  return tokens;
}
