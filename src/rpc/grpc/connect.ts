import type { DescService } from '@bufbuild/protobuf';
import { Http2ClientConnection, lostError } from '../http2/index.ts';
import type { ServiceClient } from '../service.ts';
import { type CallRoute, createClient, type DecorateCall } from './call.ts';
import { dial, type GrpcAddress, nameOf } from './dial.ts';

export interface GrpcConnection {
  /** Calls throw StrakeErrors. */
  client<T extends DescService>(service: T): ServiceClient<T>;
  /** Another view of the same connection, whose calls say more. */
  with(...decorations: readonly DecorateCall[]): GrpcConnection;
  /** Ends it, and the calls under way with it. */
  close(): void;
}

/** Connects at the first call, and again at the first one after a loss. */
export function connectGrpc(address: GrpcAddress): GrpcConnection {
  const connections = new Connections(address);
  const route: CallRoute = {
    scheme: address.kind === 'tcp' && address.tls !== undefined ? 'https' : 'http',
    authority: address.kind === 'unix' ? 'localhost' : nameOf(address),
    connect: async () => await connections.open(),
    decorations: [],
  };
  return view(route, connections);
}

function view(route: CallRoute, connections: Connections): GrpcConnection {
  return {
    client: (service) => createClient(route, service),
    with: (...more) => view({ ...route, decorations: [...route.decorations, ...more] }, connections),
    close: () => connections.close(),
  };
}

/** One connection at a time; calls that come while it is made wait for it. */
class Connections {
  readonly #address: GrpcAddress;
  #current: Promise<Http2ClientConnection> | undefined;
  /** Those with streams that go on although the server wants no more. */
  readonly #all = new Set<Http2ClientConnection>();

  constructor(address: GrpcAddress) {
    this.#address = address;
  }

  async open(): Promise<Http2ClientConnection> {
    const known = this.#current;
    const connection = await known?.catch(() => undefined);
    if (connection?.isOpen) return connection;
    if (this.#current === known) this.#current = this.#connect();
    return await (this.#current as Promise<Http2ClientConnection>);
  }

  close(): void {
    this.#current = undefined;
    for (const connection of this.#all) connection.abort(lostError('the connection is closed'));
  }

  async #connect(): Promise<Http2ClientConnection> {
    const connection: Http2ClientConnection = new Http2ClientConnection(await dial(this.#address), () => this.#all.delete(connection));
    this.#all.add(connection);
    return connection;
  }
}
