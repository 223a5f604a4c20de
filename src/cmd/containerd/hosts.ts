import { readFileSync } from 'node:fs';
import { StrakeError } from '../../base/index.ts';
import type { GrpcHost } from '../../rpc/grpc/index.ts';
import type { TcpConfig } from './config.ts';
import type { ContainerdSettings } from './flags.ts';

/** Where to listen: the unix socket, and TCP where the configuration says so. */
export function grpcHosts({ address, config: { groupId = 0, tcp } }: ContainerdSettings): readonly GrpcHost[] {
  const unix: GrpcHost = { kind: 'unix', path: address, groupId };
  return tcp === undefined ? [unix] : [unix, tcpHost(tcp)];
}

/** Whoever reaches a port of containerd's is root: only with certificates of clients. */
function tcpHost({ address, tls }: TcpConfig): GrpcHost {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:\s]*):(\d{1,5})$/.exec(address);
  if (match === null) throw refused(`grpc.tcp_address ${JSON.stringify(address)} must be HOST:PORT`);
  if (tls?.clientAuthority === undefined) throw refused('grpc.tcp_address gives root to anybody who reaches it: set tcp_tls_cert, tcp_tls_key and tcp_tls_ca');
  const [certificate, key, clientAuthority] = [tls.certificate, tls.key, tls.clientAuthority].map((file) => readFileSync(file, 'utf8')) as [
    string,
    string,
    string,
  ];
  return {
    kind: 'tcp',
    address: (match[1] ?? '').replace(/^\[|\]$/g, ''),
    port: Number(match[2]),
    tls: { certificate, key, clientAuthority },
  };
}

function refused(message: string): StrakeError {
  return new StrakeError('InvalidArgument', message, { fields: { layer: 'containerd' } });
}
