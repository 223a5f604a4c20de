// A server of one service, on a socket that goes with it.
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { DescService } from '@bufbuild/protobuf';
import { createTtrpcClient, type ServiceClient, type ServiceImplementation, servedService, TtrpcConnection, TtrpcServer } from './index.ts';

export interface TestWire<Service extends DescService> extends Disposable {
  readonly server: TtrpcServer;
  readonly connection: TtrpcConnection;
  readonly client: ServiceClient<Service>;
  readonly path: string;
}

/** `implementation`: what the test needs of it. */
export async function openTestWire<Service extends DescService>(
  service: Service,
  implementation: Partial<ServiceImplementation<Service>>,
): Promise<TestWire<Service>> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'strake-ttrpc-'));
  const socketPath = path.join(directory, 'socket');
  const server = new TtrpcServer({ services: [servedService(service, implementation as ServiceImplementation<Service>)] });
  await server.listen(socketPath);
  const connection = await TtrpcConnection.open(socketPath);
  return {
    server,
    connection,
    client: createTtrpcClient(service, connection),
    path: socketPath,
    [Symbol.dispose]: () => {
      connection.close();
      server.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
