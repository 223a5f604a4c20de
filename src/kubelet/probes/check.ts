import { health } from '../../api/grpc/index.ts';
import { errorMessage, isCode } from '../../base/index.ts';
import { connectGrpc } from '../../rpc/grpc/index.ts';
import type { Cri } from '../cri.ts';
import { httpGet } from '../handlers/http.ts';
import { portNumber } from '../handlers/ports.ts';
import { tcpConnect } from '../handlers/tcp.ts';
import type { V1Container, V1Probe } from '../kubernetes.ts';

/** What a probe found. `unknown`: it could not be carried out, which says nothing of the container. */
export interface ProbeAnswer {
  readonly result: 'success' | 'failure' | 'unknown';
  readonly message: string;
}

export interface ProbeTarget {
  readonly containerId: string;
  readonly container: V1Container;
  readonly podIP: string;
}

const maxMessageLength = 1024;
/** A command is ended by the runtime at its timeout, in whole seconds; so much longer it has to say so. */
const execAnswerMs = 2000;
const success: ProbeAnswer = { result: 'success', message: '' };

/** Asks once whether a container is well; never rejects. */
export async function checkOnce(probe: V1Probe, target: ProbeTarget, runtime: Cri['runtime'], stop: AbortSignal): Promise<ProbeAnswer> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
  const signal = AbortSignal.any([stop, AbortSignal.timeout(timeoutMs)]);
  try {
    const answer =
      probe.exec === undefined ? await check(probe, target, signal) : await checkByExec(probe.exec.command ?? [], target, runtime, stop, timeoutMs);
    return { ...answer, message: answer.message.slice(0, maxMessageLength) };
  } catch (error) {
    if (stop.aborted) return { result: 'unknown', message: 'the probe was stopped' };
    const message = signal.aborted ? `no answer within ${timeoutMs / 1000} s` : errorMessage(error).slice(0, maxMessageLength);
    return { result: 'failure', message };
  }
}

async function check({ httpGet: action, tcpSocket, grpc }: V1Probe, { container, podIP }: ProbeTarget, signal: AbortSignal): Promise<ProbeAnswer> {
  if (action !== undefined) {
    const { status, body } = await httpGet(action, container, podIP, signal);
    return status >= 200 && status < 400 ? success : { result: 'failure', message: `HTTP probe failed with statuscode: ${status} ${body}`.trim() };
  }
  if (tcpSocket !== undefined) {
    await tcpConnect(tcpSocket.host || podIP, portNumber(tcpSocket.port, container), signal);
    return success;
  }
  if (grpc !== undefined) return await checkByGrpc(podIP, grpc.port, grpc.service ?? '', signal);
  return { result: 'unknown', message: 'the probe asks nothing' };
}

async function checkByExec(cmd: string[], { containerId }: ProbeTarget, runtime: Cri['runtime'], stop: AbortSignal, timeoutMs: number): Promise<ProbeAnswer> {
  try {
    const timeout = BigInt(Math.ceil(timeoutMs / 1000));
    const { exitCode, stdout, stderr } = await runtime.execSync({ containerId, cmd, timeout }, { signal: stop, timeoutMs: timeoutMs + execAnswerMs });
    if (exitCode === 0) return success;
    return { result: 'failure', message: `exit status ${exitCode}: ${Buffer.concat([stdout, stderr]).toString().trim()}` };
  } catch (error) {
    // A command that hangs is a failure; a runtime that is away, or a container that has just ended, is none.
    return { result: isCode(error, 'DeadlineExceeded') ? 'failure' : 'unknown', message: errorMessage(error) };
  }
}

async function checkByGrpc(address: string, port: number, service: string, signal: AbortSignal): Promise<ProbeAnswer> {
  const connection = connectGrpc({ kind: 'tcp', address, port });
  try {
    const { status } = await connection.client(health.Health).check({ service }, { signal });
    if (status === health.HealthCheckResponse_ServingStatus.SERVING) return success;
    return { result: 'failure', message: `service unhealthy (responded with status ${status})` };
  } finally {
    connection.close();
  }
}
