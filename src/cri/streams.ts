import type { Attachment, Process } from '../core/tasks/index.ts';
import type { PortDialer } from '../network/index.ts';
import { carryPort, type ProcessStreams, type StreamChoice, type StreamingBackend } from '../streaming/index.ts';
import { openExec } from './containers/exec.ts';
import type { CriContext } from './context.ts';
import { sigkill } from './signals.ts';

/** What the clients of Exec, Attach and PortForward reach. */
export function streamingBackend(context: CriContext, ports: PortDialer): StreamingBackend {
  return {
    async exec({ containerId, command, ...choice }, streams) {
      const process = await openExec(context, context.registry.containers.get(containerId), { command, terminal: choice.terminal, stdin: choice.stdin });
      const ended = async () => await process.kill(sigkill).catch(() => undefined);
      streams.signal.addEventListener('abort', ended, { once: true });
      try {
        const begin = async () => {
          await process.start();
          if (streams.signal.aborted) await ended();
        };
        await connect(process, choice, streams, { begin, inputEnded: async (attachment) => await attachment.closeStdin() });
        return (await process.wait()).code;
      } finally {
        streams.signal.removeEventListener('abort', ended);
        if (process.state().status === 'created') await process.delete().catch(() => undefined);
      }
    },
    async attach({ containerId, ...choice }, streams) {
      const container = context.registry.containers.get(containerId);
      const { stdinOnce, tty } = container.facts.config;
      await connect(container.runningTask(), choice, streams, {
        // Else others may write to it later: it is the attachment that ends.
        inputEnded: async (attachment) => (stdinOnce && !tty ? await attachment.closeStdin() : attachment.close()),
      });
    },
    async portForward(sandboxId, port, stream) {
      const { network } = context.registry.pods.get(sandboxId).readyNamespaces();
      await carryPort(stream, await ports.dial({ port, signal: stream.signal, ...(network === undefined ? {} : { networkNamespace: network }) }));
    },
  };
}

interface Connecting {
  /** When the client is on the streams. */
  readonly begin?: () => Promise<void>;
  readonly inputEnded: (attachment: Attachment) => Promise<void>;
}

/** Until the output ends, or the client goes. */
async function connect(process: Process, choice: StreamChoice, streams: ProcessStreams, { begin, inputEnded }: Connecting): Promise<void> {
  const attachment = await process.attach({ stdin: choice.stdin, stdout: choice.stdout, stderr: choice.stderr && !choice.terminal });
  const gone = () => attachment.close();
  streams.signal.addEventListener('abort', gone, { once: true });
  try {
    // It may have left while the process was made, or attached to.
    streams.signal.throwIfAborted();
    await begin?.();
    void pipeInput(attachment, streams, inputEnded);
    void resize(process, streams);
    for await (const { stream, data } of attachment.output) await streams[stream]?.write(data);
  } finally {
    streams.signal.removeEventListener('abort', gone);
    attachment.close();
  }
}

/** A process that has closed its stdin takes no more; the client is not told, as it is not in Kubernetes. */
async function pipeInput(attachment: Attachment, { stdin, signal }: ProcessStreams, inputEnded: Connecting['inputEnded']): Promise<void> {
  if (stdin === undefined) return;
  try {
    for await (const data of stdin) await attachment.writeStdin(data);
    if (!signal.aborted) await inputEnded(attachment);
  } catch {
    // It has ended, or the client has gone.
  }
}

async function resize(process: Process, { sizes }: ProcessStreams): Promise<void> {
  // One that has ended has no window any more.
  for await (const { rows, columns } of sizes) await process.resize(rows, columns).catch(() => undefined);
}
