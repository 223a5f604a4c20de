import { UsageError } from '../usage-error.ts';

export interface PortBinding {
  readonly HostIp: string;
  readonly HostPort: string;
}

/** What `-p` asks for, by port: `[[ADDRESS:][PORT[-PORT]]:]PORT[-PORT][/PROTOCOL]`, or `target=80,published=8080`. Texts are docker's. Throws UsageError. */
export function portBindings(published: readonly string[]): Readonly<Record<string, readonly PortBinding[]>> {
  const bindings: Record<string, PortBinding[]> = {};
  for (const text of published.map((given) => (given.includes('=') ? shortForm(given) : given))) {
    const match = /^(?:(?:(\[[^\]]*\]|[^:[\]]*):)?([^:]*):)?([^:/]*)(?:\/(.*))?$/.exec(text);
    if (match === null) throw new UsageError(`invalid publish opts format: ${text}`);
    const [, address = '', hostPort = '', containerPort = '', protocol = 'tcp'] = match;
    if (containerPort === '') throw new UsageError(`no port specified: ${text}<empty>`);
    const inside = portRange(containerPort) ?? fail(`invalid containerPort: ${containerPort}`);
    const outside = hostPort === '' ? undefined : (portRange(hostPort) ?? fail(`invalid hostPort: ${hostPort}`));
    if (!['tcp', 'udp', 'sctp'].includes(protocol.toLowerCase())) fail(`invalid proto: ${protocol}`);
    const count = inside.last - inside.first;
    const oneByOne = outside !== undefined && outside.last - outside.first === count;
    if (outside !== undefined && !oneByOne && count > 0) fail(`invalid ranges specified for container and host Ports: ${containerPort} and ${hostPort}`);
    for (let offset = 0; offset <= count; offset++) {
      const port = `${inside.first + offset}/${protocol.toLowerCase()}`;
      const HostPort = oneByOne ? String(outside.first + offset) : hostPort;
      bindings[port] = [...(bindings[port] ?? []), { HostIp: address.replace(/^\[(.*)\]$/, '$1'), HostPort }];
    }
  }
  return bindings;
}

/** The ports that are only said to be there: `--expose 80`, `--expose 80-90/udp`, and those of `-p`. */
export function exposedPorts(exposed: readonly string[], published: readonly string[]): Readonly<Record<string, object>> | undefined {
  const named = exposed.flatMap((text) => {
    const [ports = '', protocol = 'tcp'] = text.split('/');
    const { first, last } = portRange(ports) ?? fail(`invalid range format for --expose: ${text}`);
    return Array.from({ length: last - first + 1 }, (_, offset) => `${first + offset}/${protocol}`);
  });
  const all = [...Object.keys(portBindings(published)), ...named];
  return all.length === 0 ? undefined : Object.fromEntries(all.map((port) => [port, {}]));
}

/** `target=80,published=8080,protocol=udp` as the short form has it. */
function shortForm(text: string): string {
  const fields = new Map(text.split(',').map((field) => [field.split('=', 1)[0] ?? '', field.slice(field.indexOf('=') + 1)]));
  for (const name of fields.keys()) if (!['target', 'published', 'protocol', 'mode'].includes(name)) fail(`invalid field key ${name}`);
  const target = fields.get('target') ?? fail('missing mandatory field "target"');
  return `${fields.get('published') ?? ''}:${target}/${fields.get('protocol') ?? 'tcp'}`;
}

function portRange(text: string): { readonly first: number; readonly last: number } | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
  return match === null || last > 65_535 || first > last ? undefined : { first, last };
}

function fail(message: string): never {
  throw new UsageError(message);
}
