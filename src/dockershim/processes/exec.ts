import type { ExecInspect } from '../../api/docker/index.ts';
import type { HijackedStream } from '../../docker-client/index.ts';
import type { StreamChoice } from '../../streaming/index.ts';
import type { Engine } from '../engine/engine.ts';

export interface NewExec extends StreamChoice {
  readonly command: readonly string[];
}

/** The id of a command that has not started. */
export async function createExec(engine: Engine, containerId: string, { command, stdin, stdout, stderr, terminal }: NewExec): Promise<string> {
  const body = { Cmd: command, AttachStdin: stdin, AttachStdout: stdout, AttachStderr: stderr, Tty: terminal };
  return (await engine.client.post<{ readonly Id: string }>(`/containers/${containerId}/exec`, { body })).Id;
}

export async function startExec(engine: Engine, id: string, terminal: boolean): Promise<HijackedStream> {
  return await engine.client.hijack(`/exec/${id}/start`, { body: { Detach: false, Tty: terminal } });
}

export async function execExitCode(engine: Engine, id: string): Promise<number> {
  return (await engine.client.get<ExecInspect>(`/exec/${id}/json`)).ExitCode ?? 0;
}

/** The Engine API has no way to end a command; its process is one of this machine. */
export async function killExec(engine: Engine, id: string): Promise<void> {
  const { Running, Pid } = await engine.client.get<ExecInspect>(`/exec/${id}/json`);
  if (Running && Pid > 0) process.kill(Pid, 'SIGKILL');
}
