import type { FlagTable } from '../../cli/flags/flags.ts';
import { formatFlags } from '../../cli/flags/help.ts';
import { parseFlags } from '../../cli/flags/parse.ts';
import { UsageError } from '../../cli/usage-error.ts';
import { defaultSocket, type Endpoint, parseEndpoint } from '../../docker-client/index.ts';
import { type LogSettings, logFlags, logSettings, socketPath } from '../flag-values.ts';

export interface DockershimSettings extends LogSettings {
  /** Path of the unix socket. */
  readonly address: string;
  readonly docker: Endpoint;
  readonly network: string;
  /** Undefined: an image that is made here. */
  readonly pauseImage: string | undefined;
  readonly streaming: { readonly address: string; readonly port: number } | undefined;
  readonly help: boolean;
}

const defaultAddress = '/run/strake/dockershim.sock';

const table = {
  address: { kind: 'string', short: 'a', value: 'PATH', help: `Unix socket to listen on (default "${defaultAddress}")` },
  docker: { kind: 'string', value: 'ADDRESS', help: `Engine to run pods with (default "unix://${defaultSocket}")` },
  network: { kind: 'string', value: 'NAME', help: 'Network of the engine that pods are on (default "bridge")' },
  'pod-infra-container-image': { kind: 'string', value: 'IMAGE', help: "Image whose process holds a pod's namespaces (default: one that is made here)" },
  'streaming-address': { kind: 'string', value: 'HOST:PORT', help: 'Where exec, attach and port-forward are served (default: any port of 127.0.0.1)' },
  ...logFlags,
} as const satisfies FlagTable;

export function parseDockershimFlags(argv: readonly string[]): DockershimSettings {
  const { values, args, help } = parseFlags(table, argv, { stopAtArgument: false });
  if (args.length > 0) throw new UsageError(`unexpected argument ${JSON.stringify(args[0])}`);
  return {
    address: socketPath('address', values.address ?? defaultAddress),
    docker: parseEndpoint(values.docker ?? `unix://${defaultSocket}`),
    network: values.network ?? 'bridge',
    pauseImage: values['pod-infra-container-image'],
    streaming: values['streaming-address'] === undefined ? undefined : hostAndPort(values['streaming-address']),
    ...logSettings(values),
    help,
  };
}

export function dockershimUsage(): string {
  return `Usage:  strake dockershim [OPTIONS]\n\nServe the Kubernetes container runtime interface over a Docker engine\n\nOptions:\n${formatFlags(table)}`;
}

function hostAndPort(text: string): { readonly address: string; readonly port: number } {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:\s]+):(\d{1,5})$/.exec(text);
  if (match === null || Number(match[2]) > 0xffff) throw new UsageError(`invalid value ${JSON.stringify(text)} for --streaming-address: must be HOST:PORT`);
  return { address: (match[1] ?? '').replace(/^\[|\]$/g, ''), port: Number(match[2]) };
}
