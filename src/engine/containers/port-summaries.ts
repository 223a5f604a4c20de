import type { PortSummary } from '../../api/docker/index.ts';
import type { Container } from './container.ts';

/** `Ports` of a list entry: published ones once for each binding, those only exposed once. */
export function portSummaries({ document, running }: Container): readonly PortSummary[] {
  if (!running) return [];
  const ports = { ...Object.fromEntries(Object.keys(document.config.ExposedPorts ?? {}).map((port) => [port, null])), ...document.network.ports };
  return Object.entries(ports).flatMap(([spec, bindings]): readonly PortSummary[] => {
    const [port = '', type = 'tcp'] = spec.split('/');
    const PrivatePort = Number(port);
    if (bindings === null || bindings.length === 0) return [{ PrivatePort, Type: type }];
    return bindings.map(({ HostIp, HostPort }) => ({ IP: HostIp, PrivatePort, PublicPort: Number(HostPort), Type: type }));
  });
}
