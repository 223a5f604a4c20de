import { compileTemplate } from '../template/index.ts';

/** A column: the template field that fills it and its heading. */
export interface Column<Row> {
  readonly field: string;
  readonly heading: string;
  readonly value: (row: Row) => unknown;
}

export interface ListFormat<Row> {
  readonly columns: readonly Column<Row>[];
  /** Fields of the default table, in order. */
  readonly defaultFields: readonly string[];
  /** More names that formats may use, without a heading of their own. */
  readonly methods?: (row: Row) => Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;
}

const minWidth = 10;
const padding = 3;

/** Renders rows as docker does: `undefined` or `table` the default table, `table TEMPLATE` with headings, `json`, or a template a row. */
export function formatList<Row>(rows: readonly Row[], format: string | undefined, list: ListFormat<Row>): string {
  const contexts = rows.map((row) => contextOf(row, list));
  if (format === 'json') return contexts.map((context) => `${JSON.stringify(context)}\n`).join('');
  if (format !== undefined && format !== 'table' && !/^table\s/.test(format)) {
    const template = compileTemplate(unescapeFormat(format));
    return contexts.map((context) => `${template(context)}\n`).join('');
  }
  const source = format?.slice('table'.length).trim() || list.defaultFields.map((field) => `{{.${field}}}`).join('\\t');
  const template = compileTemplate(unescapeFormat(source));
  const headings = Object.fromEntries(list.columns.map((column) => [column.field, column.heading]));
  const methods = Object.fromEntries(Object.keys(list.methods?.({} as Row) ?? {}).map((name) => [name, (key: unknown) => String(key)]));
  return alignColumns([template({ ...headings, ...methods }), ...contexts.map(template)].map((line) => line.split('\t')));
}

function contextOf<Row>(row: Row, list: ListFormat<Row>): Readonly<Record<string, unknown>> {
  const values = Object.fromEntries(list.columns.map((column) => [column.field, column.value(row)]));
  return { ...values, ...list.methods?.(row) };
}

function unescapeFormat(format: string): string {
  return format.replaceAll('\\t', '\t').replaceAll('\\n', '\n');
}

/** Pads cells as Go's tabwriter with docker's settings: at least 10 wide, 3 between; the last cell as it is. */
export function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const cells of rows)
    for (const [index, cell] of cells.slice(0, -1).entries()) widths[index] = Math.max(widths[index] ?? minWidth, cell.length + padding);
  return rows.map((cells) => `${cells.map((cell, index) => (index < cells.length - 1 ? cell.padEnd(widths[index] ?? 0) : cell)).join('')}\n`).join('');
}
