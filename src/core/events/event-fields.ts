import type { FieldOf } from '../filters/index.ts';
import type { StrakeEvent } from './events.ts';

/** What filters see of an event: texts alone, as containerd has it. */
export function eventField({ namespace, topic, payload }: StrakeEvent): FieldOf {
  return ([first = '', ...rest]) => {
    if (rest.length === 0 && first === 'namespace') return namespace;
    if (rest.length === 0 && first === 'topic') return topic;
    return first === 'event' ? textAt(payload, rest) : undefined;
  };
}

function textAt(fields: Readonly<Record<string, unknown>>, [first = '', ...rest]: readonly string[]): string | undefined {
  const name = first.replace(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase());
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (rest.length === 0) return typeof value === 'string' && value !== '' ? value : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  if (name !== 'labels') return textAt(value as Readonly<Record<string, unknown>>, rest);
  const labels = value as Readonly<Record<string, string>>;
  const label = rest.join('.');
  return Object.hasOwn(labels, label) ? labels[label] : undefined;
}
