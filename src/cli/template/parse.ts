import { lexTemplate, type Segment, type Token } from './lex.ts';
import { TemplateError } from './template-error.ts';

export type Operand =
  | { readonly kind: 'constant'; readonly value: unknown }
  | { readonly kind: 'dot' }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'function'; readonly name: string }
  | { readonly kind: 'pipeline'; readonly pipeline: Pipeline };

/** An operand, then the fields taken from it: `$x.A.B`, `(json .).C`. */
export interface Term {
  readonly operand: Operand;
  readonly fields: readonly string[];
}

/** A command: the first term applied to the others. */
export type Command = readonly Term[];

export interface Pipeline {
  readonly declare: readonly string[];
  readonly assign: boolean;
  readonly commands: readonly Command[];
}

export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly pipeline: Pipeline }
  | { readonly kind: 'if' | 'range' | 'with'; readonly pipeline: Pipeline; readonly body: readonly Node[]; readonly otherwise: readonly Node[] };

const maxDepth = 100;

/** Parses the subset of Go's text/template that `--format` is used with. Throws TemplateError. */
export function parseTemplate(source: string): Node[] {
  const segments = lexTemplate(source);
  const { nodes, end } = parseBlock(segments, 0, 0);
  if (end < segments.length) throw new TemplateError('unexpected {{end}}');
  return nodes;
}

function parseBlock(segments: readonly Segment[], start: number, depth: number): { nodes: Node[]; end: number } {
  if (depth > maxDepth) throw new TemplateError('template is nested too deeply');
  const nodes: Node[] = [];
  let index = start;
  for (; index < segments.length; index += 1) {
    const segment = segments[index];
    if (!segment) break;
    if (segment.kind === 'text') {
      nodes.push(segment);
      continue;
    }
    const [first, ...rest] = segment.tokens;
    if (!first) throw new TemplateError('missing value for command');
    const keyword = first.kind === 'word' ? first.name : '';
    if (keyword === 'end' || keyword === 'else') break;
    if (keyword === 'if' || keyword === 'range' || keyword === 'with') {
      const control = parseControl(keyword, rest, segments, index, depth);
      nodes.push(control.node);
      index = control.end;
    } else nodes.push({ kind: 'print', pipeline: parsePipeline(segment.tokens) });
  }
  return { nodes, end: index };
}

function parseControl(
  kind: 'if' | 'range' | 'with',
  head: readonly Token[],
  segments: readonly Segment[],
  start: number,
  depth: number,
): { node: Node; end: number } {
  const pipeline = parsePipeline(head);
  const body = parseBlock(segments, start + 1, depth + 1);
  const closing = segments[body.end];
  if (closing?.kind !== 'action') throw new TemplateError('unexpected EOF');
  const [keyword, next, ...rest] = closing.tokens;
  if (keyword?.kind === 'word' && keyword.name === 'end') return { node: { kind, pipeline, body: body.nodes, otherwise: [] }, end: body.end };
  if (next?.kind === 'word' && (next.name === 'if' || next.name === 'with')) {
    const nested = parseControl(next.name, rest, segments, body.end, depth + 1);
    return { node: { kind, pipeline, body: body.nodes, otherwise: [nested.node] }, end: nested.end };
  }
  const otherwise = parseBlock(segments, body.end + 1, depth + 1);
  if (segments[otherwise.end] === undefined) throw new TemplateError('unexpected EOF');
  return { node: { kind, pipeline, body: body.nodes, otherwise: otherwise.nodes }, end: otherwise.end };
}

function parsePipeline(tokens: readonly Token[]): Pipeline {
  const mark = tokens.findIndex((token) => token.kind === 'declare' || token.kind === 'assign');
  const declare = tokens.slice(0, Math.max(0, mark)).flatMap((token) => (token.kind === 'variable' ? [token.name] : []));
  const cursor = { tokens: tokens.slice(mark + 1), index: 0 };
  const commands = parseCommands(cursor, 0);
  if (cursor.index < cursor.tokens.length) throw new TemplateError('unexpected right paren');
  return { declare, assign: tokens[mark]?.kind === 'assign', commands };
}

interface Cursor {
  readonly tokens: readonly Token[];
  index: number;
}

function parseCommands(cursor: Cursor, depth: number): Command[] {
  if (depth > maxDepth) throw new TemplateError('pipeline is nested too deeply');
  const commands: Term[][] = [[]];
  for (; cursor.index < cursor.tokens.length; cursor.index += 1) {
    const token = cursor.tokens[cursor.index];
    if (!token || token.kind === 'close') break;
    if (token.kind === 'pipe') commands.push([]);
    else commands.at(-1)?.push(parseTerm(cursor, token, depth));
  }
  if (commands.some((command) => command.length === 0)) throw new TemplateError('missing value for command');
  return commands;
}

function parseTerm(cursor: Cursor, token: Token, depth: number): Term {
  if (token.kind === 'field') return { operand: { kind: 'dot' }, fields: token.names };
  const operand = parseOperand(cursor, token, depth);
  const next = cursor.tokens[cursor.index + 1];
  if (next?.kind !== 'field' || !next.glued) return { operand, fields: [] };
  cursor.index += 1;
  return { operand, fields: next.names };
}

function parseOperand(cursor: Cursor, token: Token, depth: number): Operand {
  switch (token.kind) {
    case 'string':
    case 'number':
      return { kind: 'constant', value: token.value };
    case 'variable':
      return { kind: 'variable', name: token.name };
    case 'dot':
      return { kind: 'dot' };
    case 'word':
      if (token.name === 'true' || token.name === 'false') return { kind: 'constant', value: token.name === 'true' };
      return token.name === 'nil' ? { kind: 'constant', value: undefined } : { kind: 'function', name: token.name };
    case 'open': {
      cursor.index += 1;
      const commands = parseCommands(cursor, depth + 1);
      if (cursor.tokens[cursor.index]?.kind !== 'close') throw new TemplateError('unclosed left paren');
      return { kind: 'pipeline', pipeline: { declare: [], assign: false, commands } };
    }
    default:
      throw new TemplateError(`unexpected <${token.kind}> in command`);
  }
}
