import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createServer } from 'node:net';
import { health } from '../../api/grpc/index.ts';
import { errorCode, silentLogger } from '../../base/index.ts';
import { authority, client, server as serverPair } from './fixtures-certificates.ts';
import { type ClientTls, connectGrpc, type GrpcServer, serveGrpc } from './index.ts';

let port: number;
let server: GrpcServer;

beforeAll(async () => {
  port = await freePort();
  const tls = { ...serverPair, clientAuthority: authority };
  server = await serveGrpc({ hosts: [{ kind: 'tcp', address: '127.0.0.1', port, tls }], services: [], log: silentLogger });
});
afterAll(async () => await server.close());

async function freePort(): Promise<number> {
  const probe = createServer();
  const { promise, resolve } = Promise.withResolvers<number>();
  probe.listen(0, '127.0.0.1', () => resolve((probe.address() as { port: number }).port));
  const free = await promise;
  await new Promise((closed) => probe.close(closed));
  return free;
}

async function check(tls: ClientTls | undefined): Promise<string> {
  const connection = connectGrpc({ kind: 'tcp', address: '127.0.0.1', port, ...(tls === undefined ? {} : { tls }) });
  try {
    const { status } = await connection.client(health.Health).check({}, { timeoutMs: 20_000 });
    return health.HealthCheckResponse_ServingStatus.SERVING === status ? 'serving' : String(status);
  } catch (error) {
    return errorCode(error);
  } finally {
    connection.close();
  }
}

test.each<[string, ClientTls | undefined, string]>([
  ['a client of the authority is served', { authority, ...client }, 'serving'],
  ['one without a certificate is not', { authority }, 'Unavailable'],
  ['one that does not trust the server leaves', { authority: client.certificate, ...client }, 'Unavailable'],
  ['one that speaks no TLS is cut off', undefined, 'Unavailable'],
])('%s', async (_, tls, outcome) => {
  expect(await check(tls)).toBe(outcome);
});
