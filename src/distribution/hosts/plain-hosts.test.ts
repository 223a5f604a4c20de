import { expect, test } from 'bun:test';
import { createServer, type Server } from 'node:net';
import { RegistryClient } from '../registry/registry-client.ts';
import { PlainHosts } from './plain-hosts.ts';

/** The first byte of a TLS handshake (RFC 8446 5.1). */
const handshake = 22;

/** Answers plain http with 200, as long as it `isPlain`; counts those who speak TLS. */
async function serve(): Promise<{ readonly port: number; readonly server: Server; readonly seen: { tls: number; isPlain: boolean } }> {
  const seen = { tls: 0, isPlain: true };
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (bytes) => {
      if (bytes[0] === handshake) seen.tls += 1;
      if (bytes[0] === handshake || !seen.isPlain) socket.destroy();
      else socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as { readonly port: number }).port, server, seen };
}

test('https is asked for once, and again when plain http is not answered any more', async () => {
  const { port, server, seen } = await serve();
  try {
    const plainHosts = new PlainHosts();
    const ask = async () => {
      const client = new RegistryClient({ domain: `127.0.0.1:${port}`, plainHosts, attempts: 1 });
      const response = await client.request({ capability: 'resolve', target: '/v2/', scopes: [] });
      response.discard();
    };
    await ask();
    await ask();
    expect(seen.tls).toBe(1);
    seen.isPlain = false;
    expect(await ask().catch((error: unknown) => (error as { readonly code?: string }).code)).toBe('Unavailable');
    seen.isPlain = true;
    await ask();
    expect(seen.tls).toBe(2);
  } finally {
    server.close();
  }
});
