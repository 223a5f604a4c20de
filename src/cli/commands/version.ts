import { defineCommand } from '../command.ts';
import { compileTemplate } from '../template/index.ts';
import { strakeVersion } from '../version-number.ts';

interface ServerVersion {
  readonly Version: string;
  readonly ApiVersion: string;
  readonly MinAPIVersion: string;
  readonly Os: string;
  readonly Arch: string;
  readonly KernelVersion: string;
  readonly Components?: readonly { readonly Name: string; readonly Version: string }[];
}

export const version = defineCommand({
  name: 'version',
  usage: '[OPTIONS]',
  summary: 'Show versions of the command and the engine',
  flags: { format: { kind: 'string', short: 'f', help: "Format: 'json' or a Go template" } },
  minArgs: 0,
  maxArgs: 0,
  async run(context, { values }) {
    const server = await context.client.get<ServerVersion>('/version');
    const client = { Version: strakeVersion, ApiVersion: '1.51', Os: 'linux', Arch: process.arch === 'x64' ? 'amd64' : process.arch };
    const data = { Client: client, Server: server };
    if (values.format === 'json') context.out(`${JSON.stringify(data)}\n`);
    else if (values.format !== undefined) context.out(`${compileTemplate(values.format)(namedAsInGo(data))}\n`);
    else context.out(describe(client, server));
    return 0;
  },
});

/** Templates know the fields by their names in Go. */
function namedAsInGo<C extends { readonly ApiVersion: string }, S extends { readonly ApiVersion: string }>({
  Client,
  Server,
}: {
  readonly Client: C;
  readonly Server: S;
}) {
  return { Client: { ...Client, APIVersion: Client.ApiVersion }, Server: { ...Server, APIVersion: Server.ApiVersion } };
}

function describe(
  client: { readonly Version: string; readonly ApiVersion: string; readonly Os: string; readonly Arch: string },
  server: ServerVersion,
): string {
  const row = (label: string, value: string, indent = 1) => `${' '.repeat(indent)}${`${label}:`.padEnd(18 - indent)} ${value}\n`;
  const components = (server.Components ?? []).map((component) => ` ${component.Name}:\n${row('Version', component.Version, 2)}`).join('');
  return [
    'Client: Strake\n',
    row('Version', client.Version),
    row('API version', client.ApiVersion),
    row('OS/Arch', `${client.Os}/${client.Arch}`),
    '\nServer:\n Engine:\n',
    row('Version', server.Version, 2),
    row('API version', `${server.ApiVersion} (minimum version ${server.MinAPIVersion})`, 2),
    row('OS/Arch', `${server.Os}/${server.Arch}`, 2),
    row('Kernel', server.KernelVersion, 2),
    components,
  ].join('');
}
