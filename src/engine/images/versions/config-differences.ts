import type { ImageConfigDifference } from '../../../api/docker/index.ts';
import type { ImageConfig } from '../../../oci/index.ts';

/** What differs between two configurations, setting by setting: variables, labels, ports and volumes each by its own name. Layers and history are no settings. */
export function configDifferences(from: ImageConfig, to: ImageConfig): readonly ImageConfigDifference[] {
  const [before, after] = [settings(from), settings(to)];
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  return names.flatMap((name) => {
    const [was, is] = [before.get(name), after.get(name)];
    return was === is ? [] : [{ Name: name, ...(was === undefined ? {} : { From: was }), ...(is === undefined ? {} : { To: is }) }];
  });
}

/** Each as JSON, but texts as they are. */
function settings({ config = {}, os, architecture, variant, author }: ImageConfig): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const put = (name: string, value: unknown) => {
    if (value !== undefined && value !== null && value !== '') found.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  };
  for (const [name, value] of Object.entries({ Os: os, Architecture: architecture, Variant: variant, Author: author })) put(name, value);
  for (const [name, value] of Object.entries(config as Readonly<Record<string, unknown>>)) {
    if (name === 'Env' && Array.isArray(value)) {
      for (const variable of value.map(String)) {
        const equals = variable.indexOf('=');
        put(`Env.${equals < 0 ? variable : variable.slice(0, equals)}`, equals < 0 ? '' : variable.slice(equals + 1) || '""');
      }
    } else if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
      for (const [key, inner] of Object.entries(value)) put(`${name}.${key}`, inner);
    } else put(name, value);
  }
  return found;
}
