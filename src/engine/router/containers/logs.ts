import { StrakeError } from '../../../base/index.ts';
import { type ApiRequest, multiplexedStream, type Reply, rawStream, stream } from '../../server/index.ts';
import type { ContainersBackend } from './backend.ts';

export async function logs(containers: ContainersBackend, name: string, { query, signal, apiVersion }: ApiRequest): Promise<Reply> {
  const sinceNs = timestampNs('since', query.text('since'));
  const untilNs = timestampNs('until', query.text('until'));
  const tail = parseTail(query.text('tail'));
  const terminal = containers.hasTerminal(name);
  const chunks = await containers.logs(name, {
    stdout: query.bool('stdout'),
    stderr: query.bool('stderr'),
    follow: query.bool('follow'),
    timestamps: query.bool('timestamps'),
    details: query.bool('details'),
    signal,
    ...(tail === undefined ? {} : { tail }),
    ...(sinceNs === undefined ? {} : { sinceNs }),
    ...(untilNs === undefined ? {} : { untilNs }),
  });
  return stream(terminal || !apiVersion.atLeast('1.42') ? rawStream : multiplexedStream, chunks);
}

/** `all`, nothing or nonsense: everything, as docker reads it. */
function parseTail(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** Seconds since the epoch with up to nine digits after a dot. */
function timestampNs(name: string, text: string): bigint | undefined {
  if (text === '' || text === '0') return undefined;
  const match = /^(-?\d+)(?:\.(\d{1,9}))?$/.exec(text);
  if (match === null) throw new StrakeError('InvalidArgument', `invalid value for "${name}": ${JSON.stringify(text)}`);
  return BigInt(match[1] ?? 0) * 1_000_000_000n + BigInt((match[2] ?? '').padEnd(9, '0'));
}
