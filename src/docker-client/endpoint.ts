import { StrakeError } from '../base/index.ts';

/** Where an engine listens. */
export type Endpoint = { readonly kind: 'unix'; readonly path: string } | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

export const defaultSocket = '/run/strake/strake.sock';

/** Parses `unix:///path`, `tcp://host:port` or `http://host:port`, as docker's `-H`. InvalidArgument otherwise. */
export function parseEndpoint(text: string): Endpoint {
  const unix = /^unix:\/\/(\/?.+)$/.exec(text);
  if (unix?.[1]) return { kind: 'unix', path: unix[1] };
  const tcp = /^(?:tcp|http):\/\/(\[[^\]]+\]|[^:/]+)(?::(\d+))?\/?$/.exec(text);
  if (tcp?.[1]) return { kind: 'tcp', host: tcp[1], port: Number(tcp[2] ?? 2375) };
  throw new StrakeError('InvalidArgument', `invalid engine address "${text}"`, {
    fields: { layer: 'docker-client', remedy: 'use unix:///path/to.sock or tcp://host:port' },
  });
}

export function formatEndpoint(endpoint: Endpoint): string {
  return endpoint.kind === 'unix' ? `unix://${endpoint.path}` : `tcp://${endpoint.host}:${endpoint.port}`;
}
