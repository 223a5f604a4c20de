import type { Row } from './database.ts';

/** Readers of columns: a row of a strict table has exactly these types. */
export const textOf = (row: Row, name: string): string => row[name] as string;
export const numberOf = (row: Row, name: string): number => row[name] as number;
export const timeOf = (row: Row, name: string): Date => new Date(row[name] as number);

/** Own properties only, so that a label named `__proto__` is one like any other. */
export function labelsOf(row: Row): Readonly<Record<string, string>> {
  return JSON.parse(row['labels'] as string) as Record<string, string>;
}

/** Of a record that may be damaged: labels that cannot be read are none. */
export function readableLabelsOf(row: Row): Readonly<Record<string, string>> {
  try {
    return labelsOf(row);
  } catch {
    return {};
  }
}

export function labelsText(labels: Readonly<Record<string, string>> | undefined): string {
  return JSON.stringify(labels ?? {});
}
