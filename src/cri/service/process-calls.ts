import type { StreamingServer } from '../../streaming/index.ts';
import type { Container } from '../containers/container.ts';
import { execSync } from '../containers/exec-sync.ts';
import type { CriContext } from '../context.ts';
import { refused } from '../refusals.ts';
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
      const { id, state } = pods.get(podSandboxId);
      if (state.status !== 'ready') throw refused('FailedPrecondition', `sandbox container ${JSON.stringify(id)} is not running`, { sandbox: id });
      return { url: streams.portForwardUrl({ sandboxId: id, ports: port }) };
    },
  };
}

function running(container: Container): Container {
  if (container.lifecycle.status === 'running') return container;
  throw refused('FailedPrecondition', `container ${JSON.stringify(container.id)} is in ${container.lifecycle.status} state`, { container: container.id });
}
