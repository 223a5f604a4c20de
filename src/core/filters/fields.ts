import type { FieldOf } from './parse-filter.ts';

/** What containerd's services call the fields of their objects (core/metadata/adaptors.go). The empty text is no value, but for those that are always there. */
export function fieldsOf(
  fields: Readonly<Record<string, string | undefined>>,
  maps: Readonly<Record<string, Readonly<Record<string, string>> | undefined>> = {},
): FieldOf {
  return ([first = '', ...rest]) => {
    // A key of labels has dots of its own: `labels.a.b` is the label `a.b`.
    if (Object.hasOwn(maps, first)) {
      const map = maps[first] ?? {};
      const key = rest.join('.');
      return Object.hasOwn(map, key) ? map[key] : undefined;
    }
    const name = [first, ...rest].join('.');
    return Object.hasOwn(fields, name) ? fields[name] : undefined;
  };
}
