// Reads native/ops.def and writes native/ops.gen.h and src/kernel/program/ops.gen.ts.
// `--check` writes nothing and fails when a generated file differs.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const root = path.join(import.meta.dirname, '..');
const fieldTypes = ['u32', 'u64', 'i32', 'i64', 'str', 'bytes', 'strs', 'slot'] as const;
type FieldType = (typeof fieldTypes)[number];
interface Field {
  readonly type: FieldType;
  readonly optional: boolean;
  readonly name: string;
}
interface Operation {
  readonly name: string;
  readonly code: number;
  readonly sides: readonly string[];
  readonly meaning: string;
  readonly fields: Field[];
  calls: string;
}

/** Constants of both languages, by their name in the table. */
const constants = new Map<string, string>();
const sideBits: Readonly<Record<string, number>> = { host: 1, init: 2, file: 4 };

function parseTable(text: string): Operation[] {
  const operations: Operation[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const fail = (why: string): never => {
      throw new Error(`native/ops.def:${index + 1}: ${why}: ${line}`);
    };
    if (line.trim() === '' || line.startsWith('#')) continue;
    const constant = /^const (\w+) "(.*)"$/.exec(line);
    if (constant) {
      constants.set(constant[1] ?? '', constant[2] ?? '');
      continue;
    }
    const head = /^op (\w+) (\d+) ([\w,]+) "(.*)"$/.exec(line);
    if (head) {
      const [, name = '', code = '', sides = '', meaning = ''] = head;
      for (const side of sides.split(',')) if (!(side in sideBits)) fail('unknown side');
      if (operations.some((other) => other.name === name || other.code === Number(code))) fail('name or code is taken');
      operations.push({ name, code: Number(code), sides: sides.split(','), meaning, fields: [], calls: '' });
      continue;
    }
    const operation = operations.at(-1) ?? fail('a field before the first operation');
    const calls = /^ {2}calls: (.*)$/.exec(line);
    if (calls) {
      operation.calls = calls[1] ?? '';
      continue;
    }
    const field = /^ {2}(\w+)(\??) (\w+)$/.exec(line) ?? fail('not a field');
    const type = fieldTypes.find((known) => known === field[1]) ?? fail('unknown type');
    operation.fields.push({ type, optional: field[2] === '?', name: field[3] ?? '' });
  }
  return operations;
}

const banner = 'Made by tools/gen-ops.ts from native/ops.def; do not edit.';
const cTypes: Readonly<Record<FieldType, string>> = {
  u32: 'uint32_t ',
  u64: 'uint64_t ',
  i32: 'int32_t ',
  i64: 'int64_t ',
  str: 'const char *',
  bytes: 'struct op_bytes ',
  strs: 'struct op_strs ',
  slot: 'uint32_t ',
};

function generateC(operations: readonly Operation[], hash: string): string {
  const withFields = operations.filter((operation) => operation.fields.length > 0);
  const lines = [
    `/* ${banner} */`,
    '#ifndef STRAKE_OPS_GEN_H',
    '#define STRAKE_OPS_GEN_H',
    '#include <stddef.h>',
    '#include <stdint.h>',
    '',
    `#define OPS_HASH "${hash}"`,
    ...[...constants].map(([name, text]) => `#define ${name.toUpperCase()} "${text}"`),
    `#define OP_MAX_FIELDS ${Math.max(...operations.map((operation) => operation.fields.length))}`,
    'enum { SIDE_HOST = 0, SIDE_INIT = 1, SIDE_FILE = 2 };',
    'enum op_type { T_U32, T_U64, T_I32, T_I64, T_STR, T_BYTES, T_STRS, T_SLOT };',
    'struct op_bytes { const uint8_t *p; uint32_t len; };',
    'struct op_strs { const char **v; uint32_t n; };',
    'struct op_field { uint8_t type; uint16_t offset; };',
    'struct op_desc { const char *name; uint16_t code; uint8_t sides; uint8_t nfields; struct op_field fields[OP_MAX_FIELDS]; };',
    '',
    'enum op_code {',
    ...operations.map((operation) => `\tOP_${operation.name.toUpperCase()} = ${operation.code},`),
    '};',
    '',
  ];
  for (const operation of withFields) {
    lines.push(`/* ${operation.meaning} */`, `struct op_${operation.name} {`);
    for (const field of operation.fields) lines.push(`\t${cTypes[field.type]}${field.name};`);
    lines.push('};');
  }
  lines.push('', 'union op_args {');
  for (const operation of withFields) lines.push(`\tstruct op_${operation.name} ${operation.name};`);
  lines.push('};', '');
  const uses = ({ name, fields }: Operation) => `\t${fields.length > 0 ? 'OP' : 'BARE'}(${name.toUpperCase()}, ${name})`;
  const [program, session] = [false, true].map((file) => operations.filter(({ sides }) => sides.includes('file') === file).map(uses)) as [string[], string[]];
  lines.push('/* For declarations and dispatch: the operations of programs, with fields and without, and those of file sessions. */');
  lines.push('#define PROGRAM_OPS(OP, BARE) \\', program.join(' \\\n'), '#define FILE_OPS(OP) \\', session.join(' \\\n'));
  lines.push('', '#ifdef OPS_TABLE', 'static const struct op_desc op_table[] = {');
  for (const operation of operations) {
    const bits = operation.sides.reduce((sum, side) => sum | (sideBits[side] ?? 0), 0);
    const fields = operation.fields.map((field) => `{ T_${field.type.toUpperCase()}, offsetof(struct op_${operation.name}, ${field.name}) }`);
    lines.push(`\t{ "${operation.name}", ${operation.code}, ${bits}, ${fields.length}, { ${fields.join(', ') || '{ 0, 0 }'} } },`);
  }
  lines.push('};', '#endif', '#endif', '');
  return lines.join('\n');
}

const camel = (name: string) => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
const tsTypes: Readonly<Record<FieldType, string>> = {
  u32: 'number',
  u64: 'number | bigint',
  i32: 'number',
  i64: 'number | bigint',
  str: 'string',
  bytes: 'Uint8Array',
  strs: 'readonly string[]',
  slot: 'number',
};

function generateTs(operations: readonly Operation[], hash: string): string {
  const texts = [['ops_hash', hash], ...constants].map(([name = '', text = '']) => `export const ${camel(name)} = '${text}';`);
  const lines = [`// ${banner}`, '', ...texts, ''];
  for (const operation of operations) {
    const sides = operation.sides.map((side) => `'${side}'`).join(' | ');
    lines.push(
      `/** ${operation.meaning} */`,
      `export interface ${typeName(operation.name)} {`,
      `  readonly op: '${operation.name}';`,
      `  readonly side: ${sides};`,
    );
    for (const field of operation.fields)
      lines.push(`  readonly ${camel(field.name)}${field.optional ? '?' : ''}: ${tsTypes[field.type]}${field.optional ? ' | undefined' : ''};`);
    lines.push('}', '');
  }
  lines.push('export type Op =', ...operations.map((operation) => `  | ${typeName(operation.name)}`));
  lines[lines.length - 1] += ';';
  lines.push(
    '',
    "export type OpFieldType = 'u32' | 'u64' | 'i32' | 'i64' | 'str' | 'bytes' | 'strs' | 'slot';",
    'export interface OpDescription {',
    '  readonly code: number;',
    '  readonly fields: readonly (readonly [type: OpFieldType, name: string])[];',
    '  /** The system calls of the operation, in order, as a regular expression: `[x y]` sometimes, `(x|y)` one of them, `x*` any number of times. */',
    '  readonly calls: string;',
    '}',
    '',
    "export const opTable: Readonly<Record<Op['op'], OpDescription>> = {",
  );
  for (const operation of operations) {
    const fields = operation.fields.map((field) => `['${field.type}', '${camel(field.name)}']`).join(', ');
    lines.push(`  ${operation.name}: { code: ${operation.code}, fields: [${fields}], calls: '${operation.calls}' },`);
  }
  lines.push('};', '');
  return lines.join('\n');
}

function typeName(name: string): string {
  const text = camel(name);
  return `${text[0]?.toUpperCase() ?? ''}${text.slice(1)}Op`;
}

const source = readFileSync(path.join(root, 'native/ops.def'), 'utf8');
const operations = parseTable(source);
// What two builds must agree on; not what is said about it.
const wire = operations.map(({ name, code, sides, fields }) => ({ name, code, sides, fields }));
const hash = createHash('sha256').update(JSON.stringify(wire)).digest('hex').slice(0, 16);
const outputs: readonly (readonly [string, string])[] = [
  ['native/ops.gen.h', generateC(operations, hash)],
  ['src/kernel/program/ops.gen.ts', generateTs(operations, hash)],
];
for (const [file, text] of outputs) {
  const target = path.join(root, file);
  if (!process.argv.includes('--check')) writeFileSync(target, text);
  else if (readFileSync(target, 'utf8') !== text) {
    console.error(`${file} does not match native/ops.def: run \`npm run gen\``);
    process.exitCode = 1;
  }
}
