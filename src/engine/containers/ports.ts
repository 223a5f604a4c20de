import type { HostConfig } from '../../api/docker/index.ts';
import { StrakeError } from '../../base/index.ts';
import type { PortProtocol } from '../../network/index.ts';

/** `80`, `80/tcp`. InvalidArgument, in moby's words. */
export function parsePort(spec: string): { readonly port: number; readonly protocol: PortProtocol } {
  const match = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/i.exec(spec);
  const port = Number(match?.[1]);
  if (match === null || port < 1 || port > 65_535) throw invalid(spec);
  return { port, protocol: (match[2]?.toLowerCase() ?? 'tcp') as PortProtocol };
}

/** `8080`, `8080-8090`; undefined for none, which stands for any. InvalidArgument, in moby's words. */
export function parsePortRange(text: string): readonly [number, number] | undefined {
  if (text === '' || text === '0') return undefined;
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
  if (match === null || first > last || last > 65_535) throw invalid(text);
  return first === 0 ? undefined : [first, last];
}

/** Before anything of the container is made. */
export function checkPorts({ NetworkMode: mode, PortBindings: bindings, PublishAllPorts: all }: HostConfig, exposed: readonly string[]): void {
  for (const port of exposed) parsePort(port);
  for (const [port, list] of Object.entries(bindings)) {
    parsePort(port);
    for (const { HostPort } of list) parsePortRange(HostPort);
  }
  if (!mode.startsWith('container:')) return;
  if (Object.keys(bindings).length > 0 || all) throw conflict('port publishing');
  if (exposed.length > 0) throw conflict('port exposing');
}

/** What the answer to `create` says of them. */
export function portWarnings({ NetworkMode: mode, PortBindings: bindings }: HostConfig): readonly string[] {
  return mode === 'host' && Object.keys(bindings).length > 0 ? ['Published ports are discarded when using host network mode'] : [];
}

function conflict(what: string): StrakeError {
  return new StrakeError('InvalidArgument', `conflicting options: ${what} and the container type network mode`, { fields: { layer: 'engine' } });
}

function invalid(spec: string): StrakeError {
  return new StrakeError('InvalidArgument', `invalid port specification: ${JSON.stringify(spec)}`, { fields: { layer: 'engine' } });
}
