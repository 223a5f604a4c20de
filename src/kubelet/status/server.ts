import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { V1Pod } from '../kubernetes.ts';
import { kubernetesJson } from './json.ts';

export interface StatusServerOptions {
  readonly host: string;
  /** 0: any that is free */
  readonly port: number;
  readonly pods: () => readonly V1Pod[];
  /** Rejects when the kubelet cannot do its work. */
  readonly healthy: () => Promise<void>;
}

export interface StatusServer extends AsyncDisposable {
  readonly port: number;
}

const requestTimeoutMs = 10_000;

/** What anybody may read of a kubelet, at the paths of Kubernetes' read-only port: /healthz, /pods, /runningpods/. */
export async function serveStatus({ host, port, pods, healthy }: StatusServerOptions): Promise<StatusServer> {
  const list = (items: readonly V1Pod[]): Answer => ({
    status: 200,
    type: 'application/json',
    body: kubernetesJson({ kind: 'PodList', apiVersion: 'v1', metadata: {}, items }),
  });
  const routes = new Map<string, () => Answer | Promise<Answer>>(
    Object.entries({
      '/healthz': async () => {
        try {
          await healthy();
          return text(200, 'ok');
        } catch (error) {
          return text(500, `the container runtime is not well: ${(error as Error).message}\n`);
        }
      },
      '/pods': () => list(pods()),
      '/runningpods': () => list(pods().filter(({ status }) => status?.phase === 'Running')),
    }),
  );
  const server = http.createServer({ requestTimeout: requestTimeoutMs }, (request, response) => {
    void (async () => {
      const pathname = URL.parse(request.url ?? '/', 'http://kubelet')?.pathname ?? '';
      const route = routes.get(pathname.length > 1 ? pathname.replace(/\/$/, '') : pathname);
      const isRead = request.method === 'GET' || request.method === 'HEAD';
      const { status, type, body } = !isRead ? text(405, '405 method not allowed\n') : route === undefined ? text(404, '404 page not found\n') : await route();
      response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
      response.end(request.method === 'HEAD' ? undefined : body);
    })();
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, host, resolve);
  await promise;
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

function text(status: number, body: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body };
}
