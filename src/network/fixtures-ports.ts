// Run by the test in a network namespace of its own: listens on IPv4 and IPv6, prints both ports, echoes, and breaks a connection that says so.
import { createServer } from 'node:net';

async function listen(host: string): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      if (chunk.toString() === 'break\n') socket.resetAndDestroy();
      else if (!socket.write(chunk)) {
        socket.pause();
        socket.once('drain', () => socket.resume());
      }
    });
    socket.on('end', () => socket.end('bye\n'));
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen({ host, port: 0, ipv6Only: true }, resolve);
  await promise;
  return (server.address() as { readonly port: number }).port;
}

console.log(JSON.stringify([await listen('127.0.0.1'), await listen('::1')]));
