import { isTrue, printValue, templateFunctions } from './functions.ts';
import { type Command, type Node, type Operand, type Pipeline, parseTemplate, type Term } from './parse.ts';
import { TemplateError } from './template-error.ts';

/** A compiled format: data in, text out. */
export type Template = (data: unknown) => string;

interface Scope {
  readonly dot: unknown;
  readonly variables: Map<string, unknown>;
}

/** Compiles a Go template. Throws TemplateError for one that does not parse, and when evaluated on data without a field it names. */
export function compileTemplate(source: string): Template {
  let nodes: Node[];
  try {
    nodes = parseTemplate(source);
  } catch (error) {
    if (error instanceof TemplateError || error instanceof SyntaxError) throw new TemplateError(`template parsing error: template: :1: ${error.message}`);
    throw error;
  }
  return (data) => evaluateNodes(nodes, { dot: data, variables: new Map([['', data]]) });
}

function evaluateNodes(nodes: readonly Node[], scope: Scope): string {
  return nodes.map((node) => evaluateNode(node, scope)).join('');
}

function evaluateNode(node: Node, scope: Scope): string {
  if (node.kind === 'text') return node.text;
  if (node.kind === 'range') return evaluateRange(node, scope);
  if (node.kind === 'print') {
    const value = evaluatePipeline(node.pipeline, scope);
    return node.pipeline.declare.length > 0 ? '' : printValue(value);
  }
  const inner = { ...scope, variables: new Map(scope.variables) };
  const value = evaluatePipeline(node.pipeline, inner);
  if (!isTrue(value)) return evaluateNodes(node.otherwise, inner);
  return evaluateNodes(node.body, node.kind === 'with' ? { ...inner, dot: value } : inner);
}

function evaluateRange(node: Exclude<Node, { kind: 'text' | 'print' }>, scope: Scope): string {
  const value = evaluateCommands(node.pipeline.commands, scope);
  const entries: (readonly [unknown, unknown])[] = Array.isArray(value)
    ? value.map((item, index) => [index, item] as const)
    : Object.entries((value ?? {}) as object).sort(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 0) return evaluateNodes(node.otherwise, scope);
  return entries
    .map(([key, item]) => {
      const variables = new Map(scope.variables);
      const [first, second] = node.pipeline.declare;
      if (second !== undefined) {
        variables.set(first ?? '', key);
        variables.set(second, item);
      } else if (first !== undefined) variables.set(first, item);
      return evaluateNodes(node.body, { dot: item, variables });
    })
    .join('');
}

function evaluatePipeline(pipeline: Pipeline, scope: Scope): unknown {
  const value = evaluateCommands(pipeline.commands, scope);
  for (const name of pipeline.declare) {
    if (pipeline.assign && !scope.variables.has(name)) throw new TemplateError(`undefined variable "$${name}"`);
    scope.variables.set(name, value);
  }
  return value;
}

function evaluateCommands(commands: readonly Command[], scope: Scope): unknown {
  let piped: unknown[] = [];
  for (const command of commands) piped = [evaluateCommand(command, piped, scope)];
  return piped[0];
}

function evaluateCommand(command: Command, piped: readonly unknown[], scope: Scope): unknown {
  const [head, ...rest] = command;
  if (!head) throw new TemplateError('missing value for command');
  if (head.operand.kind === 'function') {
    const name = head.operand.name;
    const apply = Object.hasOwn(templateFunctions, name) ? templateFunctions[name] : undefined;
    if (!apply) throw new TemplateError(`function "${name}" not defined`);
    return apply(...rest.map((term) => evaluateTerm(term, [], scope)), ...piped);
  }
  return evaluateTerm(head, [...rest.map((term) => evaluateTerm(term, [], scope)), ...piped], scope);
}

function evaluateTerm(term: Term, args: readonly unknown[], scope: Scope): unknown {
  let value = evaluateOperand(term.operand, scope);
  for (const [index, field] of term.fields.entries()) value = takeField(value, field, index === term.fields.length - 1 ? args : []);
  return value;
}

function evaluateOperand(operand: Operand, scope: Scope): unknown {
  switch (operand.kind) {
    case 'constant':
      return operand.value;
    case 'dot':
      return scope.dot;
    case 'variable':
      if (!scope.variables.has(operand.name)) throw new TemplateError(`undefined variable "$${operand.name}"`);
      return scope.variables.get(operand.name);
    case 'pipeline':
      return evaluatePipeline(operand.pipeline, scope);
    case 'function':
      return evaluateCommand([{ operand, fields: [] }], [], scope);
  }
}

/** A field of a JSON object, or a method of a row (`.Label "x"`). Docker's inspect says `<no value>` for a missing key. */
function takeField(value: unknown, field: string, args: readonly unknown[]): unknown {
  if (value === undefined || value === null) throw new TemplateError(`template: :1:2: executing "" at <.${field}>: nil data; no entry for key "${field}"`);
  if (typeof value !== 'object') throw new TemplateError(`template: :1:2: executing "" at <.${field}>: can't evaluate field ${field} in type ${typeof value}`);
  const found = Object.hasOwn(value, field) ? (value as Record<string, unknown>)[field] : undefined;
  return typeof found === 'function' ? (found as (...args: readonly unknown[]) => unknown)(...args) : found;
}
