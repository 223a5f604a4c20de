// What the tests of the services share: stores of their own, served on a socket of their own.
import path from 'node:path';
import type { Any } from '@bufbuild/protobuf/wkt';
import { streaming } from '../api/containerd/index.ts';
import { silentLogger } from '../base/index.ts';
import { openTestCore, openTestTree, type TestCore } from '../core/fixtures.ts';
import { connectGrpc, type GrpcConnection, inNamespace, serveGrpc } from '../rpc/grpc/index.ts';
import { packAny } from './any.ts';
import { storeServices } from './stores.ts';

export interface TestServer extends AsyncDisposable {
  readonly core: TestCore;
  /** In no namespace. */
  readonly connection: GrpcConnection;
  /** Calls in this namespace, under this lease. */
  in(namespace: string, lease?: string): GrpcConnection;
}

export async function startTestServer(): Promise<TestServer> {
  const core = openTestCore();
  const socket = path.join(core.root, 'containerd.sock');
  const services = storeServices({ core, openFileTree: openTestTree });
  const server = await serveGrpc({ hosts: [{ kind: 'unix', path: socket, groupId: 0 }], services, log: silentLogger });
  const connection = connectGrpc({ kind: 'unix', path: socket });
  return {
    core,
    connection,
    in: (namespace, lease) => connection.with(inNamespace(namespace, lease)),
    async [Symbol.asyncDispose]() {
      connection.close();
      await server.close(0);
      core[Symbol.dispose]();
    },
  };
}

/** A client's stream. */
export interface TestStream {
  readonly incoming: AsyncIterator<Any>;
  /** Undefined: there is nothing more to say. */
  send(message: Any | undefined): void;
}

/** Resolves once the server knows it by its name. */
export async function openStream(server: TestServer, namespace: string, id: string): Promise<TestStream> {
  const outgoing: (Any | undefined)[] = [packAny(streaming.StreamInitSchema, { id })];
  let wake = Promise.withResolvers<void>();
  async function* messages() {
    for (;;) {
      while (outgoing.length > 0) {
        const message = outgoing.shift();
        if (message === undefined) return;
        yield message;
      }
      await wake.promise;
      wake = Promise.withResolvers();
    }
  }
  const incoming = server.in(namespace).client(streaming.Streaming).stream(messages())[Symbol.asyncIterator]();
  await incoming.next();
  return {
    incoming,
    send(message) {
      outgoing.push(message);
      wake.resolve();
    },
  };
}
