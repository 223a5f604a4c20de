import { StrakeError } from '../../base/index.ts';
import type { Attachment, AttachOptions } from '../../core/tasks/index.ts';
import { type ClientStream, pipeClient } from './client-stream.ts';
import type { Container, PendingAttachment } from './container.ts';
import type { ContainerContext } from './context.ts';
import { containerLogs } from './logs.ts';
import { publish } from './publish.ts';

export interface AttachRequest extends AttachOptions {
  /** What was written before, from the log. */
  readonly logs: boolean;
  readonly stream: boolean;
}

export interface AttachSession {
  readonly terminal: boolean;
  run(client: ClientStream): Promise<void>;
}

/**
 * Checks now, so that a failure is an HTTP error; `run` then serves the connection. A container that does not run yet gets its client
 * before its process starts, so that nothing is missed.
 */
export function attachContainer(context: ContainerContext, reference: string, request: AttachRequest): AttachSession {
  const container = context.registry.get(reference);
  const { status } = container.lifecycle;
  if (status === 'paused') throw new StrakeError('FailedPrecondition', `container ${reference} is paused, unpause the container before attach`);
  if (status === 'restarting') throw new StrakeError('FailedPrecondition', `container ${reference} is restarting, wait until the container is running`);
  const { Tty: terminal, OpenStdin: openStdin, StdinOnce: stdinOnce } = container.document.config;
  const stdin = request.stdin && openStdin;
  // Registered here and not in `run`: the start may come right after our answer.
  const pending = request.stream && container.task === undefined ? waitForStart(container, { ...request, stdin }) : undefined;
  return {
    terminal,
    async run(client) {
      publish(context, container, 'attach');
      const forget = () => pending?.cancel();
      client.signal.addEventListener('abort', forget, { once: true });
      try {
        if (request.logs)
          for await (const chunk of await containerLogs(context, container.id, { ...request, follow: false, signal: client.signal })) await client.write(chunk);
        if (!request.stream) return;
        const attachment = await (pending?.attached ?? attachRunning(container, { ...request, stdin }));
        await pipeClient(client, attachment, { terminal, stdin, closeStdin: stdinOnce });
      } catch {
        // It never started, or has ended: the connection's end says so.
      } finally {
        forget();
        client.signal.removeEventListener('abort', forget);
        await client.end().catch(() => undefined);
      }
    },
  };
}

function waitForStart(container: Container, options: AttachOptions): { readonly attached: Promise<Attachment>; cancel(): void } {
  const pending: PendingAttachment = { options, attached: Promise.withResolvers<Attachment>() };
  const { promise } = pending.attached;
  promise.catch(() => undefined);
  container.pendingAttachments.add(pending);
  return {
    attached: promise,
    cancel() {
      if (container.pendingAttachments.delete(pending)) pending.attached.reject(new StrakeError('Canceled', 'the client is gone'));
    },
  };
}

async function attachRunning(container: Container, options: AttachOptions): Promise<Attachment> {
  const { task } = container;
  if (task === undefined) throw new StrakeError('FailedPrecondition', `container ${container.id} is not running`);
  return await task.attach(options);
}
