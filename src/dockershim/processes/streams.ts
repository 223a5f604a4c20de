import { errorMessage } from '../../base/index.ts';
import { demultiplex, type HijackedStream } from '../../docker-client/index.ts';
import { carryPort, type PortConnection, type ProcessStreams, type StreamingBackend } from '../../streaming/index.ts';
import type { Engine } from '../engine/engine.ts';
import { refuse } from '../refuse.ts';
import { createExec, execExitCode, startExec } from './exec.ts';

/** Connects to a port of the loopback interface of a network namespace; the machine's own when there is no path. */
export type DialPort = (options: { readonly networkNamespace?: string; readonly port: number; readonly signal: AbortSignal }) => Promise<PortConnection>;

/** What the streaming server runs, with the engine's attached streams. */
export function engineBackend(engine: Engine, dial: DialPort): StreamingBackend {
  return {
    async exec({ containerId, command, ...choice }, streams) {
      const { Id } = await running(engine, containerId);
      const exec = await createExec(engine, Id, { command, ...choice });
      await pipe(await startExec(engine, exec, choice.terminal), streams, choice.terminal, async (rows, columns) => {
        await engine.client.post(`/exec/${exec}/resize`, { query: { h: rows, w: columns } });
      });
      return await execExitCode(engine, exec);
    },
    async attach({ containerId, stdin, stdout, stderr }, streams) {
      const { Id, Config } = await running(engine, containerId);
      const stream = await engine.client.hijack(`/containers/${Id}/attach`, { query: { stream: true, stdin, stdout, stderr } });
      await pipe(stream, streams, Config.Tty, async (rows, columns) => {
        await engine.client.post(`/containers/${Id}/resize`, { query: { h: rows, w: columns } });
      });
    },
    async portForward(sandboxId, port, stream) {
      const { State, HostConfig } = await engine.inspect(sandboxId, 'podsandbox');
      if (!State.Running) throw refuse('FailedPrecondition', `the pod ${sandboxId} does not run`);
      const place = HostConfig.NetworkMode === 'host' ? {} : { networkNamespace: `/proc/${State.Pid}/ns/net` };
      await carryPort(stream, await dial({ ...place, port, signal: stream.signal }));
    },
  };
}

async function running(engine: Engine, id: string) {
  const container = await engine.inspect(id, 'container');
  if (!container.State.Running) throw refuse('FailedPrecondition', `container ${id} is not running`);
  return container;
}

/** Until the engine ends the stream, or the client is gone. */
async function pipe(
  attached: HijackedStream,
  { stdin, stdout, stderr, sizes, signal }: ProcessStreams,
  terminal: boolean,
  resize: (rows: number, columns: number) => Promise<void>,
): Promise<void> {
  const leave = () => attached.close();
  signal.addEventListener('abort', leave, { once: true });
  const giveInput = async () => {
    for await (const data of stdin ?? []) await attached.write(data);
    if (stdin !== undefined) attached.end();
  };
  const giveSizes = async () => {
    for await (const { rows, columns } of sizes) await resize(rows, columns);
  };
  try {
    if (signal.aborted) leave();
    // What ends early, or does not take it any more, still has output; and a terminal of another size is no reason to end.
    void giveInput().catch(() => undefined);
    void giveSizes().catch(() => undefined);
    if (terminal) for await (const data of attached.output) await stdout?.write(data);
    else for await (const { stream, data } of demultiplex(attached.output)) await (stream === 'stderr' ? stderr : stdout)?.write(data);
  } catch (error) {
    if (!signal.aborted) throw refuse('Unavailable', `the engine broke the stream: ${errorMessage(error)}`);
  } finally {
    signal.removeEventListener('abort', leave);
    attached.close();
  }
}
