import { type TypedValue, typedValueFromJson, typedValueToJson } from '../typed-value.ts';
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

/** A label without a value is none: containerd does not keep it either (core/metadata/boltutil). */
export function labelsText(labels: Readonly<Record<string, string>> | undefined): string {
  const text = JSON.stringify(labels ?? {});
  if (!text.includes(':""')) return text;
  return JSON.stringify(Object.fromEntries(Object.entries(labels ?? {}).filter(([, value]) => value !== '')));
}

export function typedValueOf(row: Row, name: string): TypedValue | undefined {
  const text = row[name];
  return typeof text === 'string' ? typedValueFromJson(JSON.parse(text)) : undefined;
}

export function typedValueText(value: TypedValue | undefined): string | null {
  return value === undefined ? null : JSON.stringify(typedValueToJson(value));
}

export function typedValuesOf(row: Row, name: string): Readonly<Record<string, TypedValue>> {
  return Object.fromEntries(Object.entries(JSON.parse(textOf(row, name)) as object).map(([key, stored]) => [key, typedValueFromJson(stored)]));
}

export function typedValuesText(values: Readonly<Record<string, TypedValue>>): string {
  return JSON.stringify(Object.fromEntries(Object.entries(values).map(([key, value]) => [key, typedValueToJson(value)])));
}
