import type { EngineClient } from '../../docker-client/index.ts';

const proxied = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

/** With this one docker's command gives up, too, on a container that does not end. */
const lastTermination = 3;

/** Passes the command's own signals on to the container (`--sig-proxy`), and ends the command at the third that asks for an end; the answer ends that. */
export function proxySignals(client: EngineClient, id: string): () => void {
  let terminations = 0;
  const handlers = proxied.map((signal) => {
    const handler = () => {
      if ((signal === 'SIGINT' || signal === 'SIGTERM') && ++terminations === lastTermination) {
        process.stderr.write(`\ngot ${lastTermination} SIGTERM/SIGINTs, forcefully exiting\n`);
        process.exit(1);
      }
      // The container may have ended between the signal and the call.
      client.call('POST', `/containers/${id}/kill`, { query: { signal } }).catch(() => undefined);
    };
    process.on(signal, handler);
    return () => void process.off(signal, handler);
  });
  return () => {
    for (const remove of handlers) remove();
  };
}
