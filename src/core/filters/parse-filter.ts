/** containerd's filter language (pkg/filters): `name==a,labels."long name"~=^b` selects what meets every selector of one filter, or any of several filters. */
import { StrakeError } from '../../base/index.ts';
import { compileExpression } from './expression.ts';
import { quoteEnd, unquote } from './unquote.ts';

/** A field of an object by its path, such as `['labels', 'a', 'b']`; undefined when it has none. */
export type FieldOf = (path: readonly string[]) => string | undefined;

export type Filter = (field: FieldOf) => boolean;

/** Filters come from clients: what is longer is a mistake. */
const maxFilterBytes = 64 << 10;

/** What any of the filters selects; no filter at all selects everything. InvalidArgument names the place of a mistake. */
export function parseFilters(texts: readonly string[]): Filter {
  const filters = texts.map(parseFilter);
  return (field) => filters.length === 0 || filters.some((filter) => filter(field));
}

export function parseFilter(text: string): Filter {
  if (Buffer.byteLength(text) > maxFilterBytes)
    throw new StrakeError('InvalidArgument', `filter has ${Buffer.byteLength(text)} bytes, at most ${maxFilterBytes} are possible`, {
      fields: { layer: 'core' },
    });
  if (text === '') return () => true;
  const parser = new FilterParser(text);
  const selectors = [parser.selector()];
  while (parser.take(',')) selectors.push(parser.selector());
  parser.expectEnd();
  return (field) => selectors.every((selector) => selector(field));
}

/** By recursive descent; white space means nothing outside of quotes. */
class FilterParser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  selector(): Filter {
    const path = [this.#field()];
    while (this.take('.')) path.push(this.#field());
    this.#skipSpace();
    if (this.#at === this.#text.length || this.#text[this.#at] === ',') return (field) => field(path) !== undefined;
    const operator = this.#operator();
    const value = this.#value(operator === '~=');
    if (operator === '==') return (field) => field(path) === value.text;
    // What is not there is the empty text, as containerd compares it.
    if (operator === '!=') return (field) => (field(path) ?? '') !== value.text;
    const expression = compileExpression(value.text, (problem) => this.#mistake(value.at, problem));
    return (field) => expression.test(field(path) ?? '');
  }

  /** Takes one character if it comes next. */
  take(character: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  expectEnd(): void {
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#mistake(this.#at, `unexpected input: ${this.#character()}`);
  }

  #field(): string {
    this.#skipSpace();
    if (this.#isQuote('"\'')) return this.#quoted();
    const name = this.#match(/[A-Za-z_][A-Za-z0-9_]*/y);
    if (name === undefined) throw this.#mistake(this.#at, 'expected field or quoted');
    return name;
  }

  #operator(): '==' | '!=' | '~=' {
    const operator = this.#match(/[=!~]=/y);
    if (operator === undefined) throw this.#mistake(this.#at, 'expected an operator ("=="|"!="|"~=")');
    return operator as '==' | '!=' | '~=';
  }

  /** Regular expressions may also stand between slashes or bars, which leaves their backslashes alone. */
  #value(isExpression: boolean): { readonly text: string; readonly at: number } {
    this.#skipSpace();
    const at = this.#at;
    if (this.#isQuote(isExpression ? '"\'/|' : '"\'')) return { text: this.#quoted(), at };
    const text = this.#match(/[^\s,"'/|][^\s,]*/y) ?? (isExpression ? undefined : this.#match(/[/|][^\s,]*/y));
    if (text === undefined) throw this.#mistake(at, 'expected value or quoted');
    return { text, at };
  }

  #quoted(): string {
    const start = this.#at;
    const end = quoteEnd(this.#text, start);
    if (end === undefined) throw this.#mistake(start, 'quoted literal not terminated');
    this.#at = end;
    return unquote(this.#text.slice(start, end), (problem) => this.#mistake(start, `unquoting failed: ${problem}`));
  }

  #isQuote(quotes: string): boolean {
    return this.#at < this.#text.length && quotes.includes(this.#text[this.#at] as string);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text)?.[0];
    this.#at += match?.length ?? 0;
    return match;
  }

  #skipSpace(): void {
    this.#match(/\s*/y);
  }

  #character(): string {
    return String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0);
  }

  /** With the place marked, in containerd's form. */
  #mistake(at: number, problem: string): StrakeError {
    const place = at < this.#text.length ? `${this.#text.slice(0, at)} >|${this.#text[at]}|< ${this.#text.slice(at + 1)}` : this.#text;
    return new StrakeError('InvalidArgument', `filters: parse error: [${place}]: ${problem}`, { fields: { layer: 'core' } });
  }
}
