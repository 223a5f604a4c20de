import { defineCommand } from '../command.ts';
import { addressAndPort } from '../format/port-list.ts';

interface Inspected {
  readonly NetworkSettings: { readonly Ports: Readonly<Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[] | null>> | null };
}

export const port = defineCommand({
  name: 'port',
  usage: 'CONTAINER [PRIVATE_PORT[/PROTO]]',
  summary: "Show the machine's ports that lead to a container's",
  flags: {},
  minArgs: 1,
  maxArgs: 2,
  async run(context, { args: [container = '', wanted] }) {
    const { NetworkSettings: settings } = await context.client.get<Inspected>(`/containers/${container}/json`);
    const published = Object.entries(settings.Ports ?? {}).flatMap(([spec, bindings]) =>
      (bindings ?? []).map(({ HostIp, HostPort }) => ({ spec, text: addressAndPort(HostIp, HostPort) })),
    );
    if (wanted === undefined) {
      context.out(
        published
          .map(({ spec, text }) => `${spec} -> ${text}\n`)
          .toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
          .join(''),
      );
      return 0;
    }
    const spec = wanted.includes('/') ? wanted : `${wanted}/tcp`;
    const found = published.filter((one) => one.spec === spec);
    if (found.length > 0) {
      context.out(found.map(({ text }) => `${text}\n`).join(''));
      return 0;
    }
    context.err(`Error: No public port '${wanted}' published for ${container}\n`);
    return 1;
  },
});
