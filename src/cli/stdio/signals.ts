import type { EngineClient } from '../../docker-client/index.ts';

const proxied = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

/** Passes the command's own signals on to the container (`--sig-proxy`); the answer ends that. */
export function proxySignals(client: EngineClient, id: string): () => void {
  const handlers = proxied.map((signal) => {
    // The container may have ended between the signal and the call.
    const handler = () => void client.call('POST', `/containers/${id}/kill`, { query: { signal } }).catch(() => undefined);
    process.on(signal, handler);
    return () => void process.off(signal, handler);
  });
  return () => {
    for (const remove of handlers) remove();
  };
}
