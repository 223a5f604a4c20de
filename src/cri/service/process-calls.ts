import type { StreamingServer } from '../../streaming/index.ts';
import type { Container } from '../containers/container.ts';
import { execSync } from '../containers/exec-sync.ts';
import type { CriContext } from '../context.ts';
import type { SomeCalls } from './calls.ts';

/** Where the streams are served. */
export type StreamUrls = Pick<StreamingServer, 'execUrl' | 'attachUrl' | 'portForwardUrl'>;

export function processCalls(context: CriContext, streams: StreamUrls): SomeCalls<'execSync' | 'exec' | 'attach' | 'portForward'> {
  const { pods, containers } = context.registry;
  return {
    async execSync({ containerId, cmd, timeout }, { signal }) {
      return await execSync(context, containers.get(containerId), cmd, Number(timeout), signal);
    },
    exec({ containerId, cmd, tty, stdin, stdout, stderr }) {
      const { id } = running(containers.get(containerId));
      return { url: streams.execUrl({ containerId: id, command: cmd, terminal: tty, stdin, stdout, stderr }) };
    },
    attach({ containerId, tty, stdin, stdout, stderr }) {
      const { id } = running(containers.get(containerId));
      return { url: streams.attachUrl({ containerId: id, terminal: tty, stdin, stdout, stderr }) };
    },
    portForward({ podSandboxId, port }) {
      const pod = pods.get(podSandboxId);
      pod.readyNamespaces();
      return { url: streams.portForwardUrl({ sandboxId: pod.id, ports: port }) };
    },
  };
}

function running(container: Container): Container {
  container.runningTask();
  return container;
}
