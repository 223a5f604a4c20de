import { setTimeout as delay } from 'node:timers/promises';
import { StrakeError } from '../../base/index.ts';
import type { Cri } from '../cri.ts';
import type { V1Container, V1LifecycleHandler } from '../kubernetes.ts';
import { httpGet } from './http.ts';

export interface HookTarget {
  readonly containerId: string;
  readonly container: V1Container;
  readonly podIP: string;
}

/**
 * Runs what a manifest wants after a start or before a stop, to its end. Rejects when it fails, FailedPrecondition for a command that says so itself, and with
 * the signal's reason.
 */
export async function runHook(
  handler: V1LifecycleHandler,
  { container, containerId, podIP }: HookTarget,
  runtime: Cri['runtime'],
  signal: AbortSignal,
): Promise<void> {
  const { exec, httpGet: action, sleep } = handler;
  if (exec !== undefined) {
    const { exitCode, stdout, stderr } = await runtime.execSync({ containerId, cmd: exec.command ?? [], timeout: 0n }, { signal });
    if (exitCode === 0) return;
    const output = Buffer.concat([stdout, stderr]).toString().trim();
    throw failed(`command ${JSON.stringify(exec.command)} exited with ${exitCode}: ${output}`);
  }
  if (action !== undefined) {
    const { status } = await httpGet(action, container, podIP, signal);
    if (status >= 400) throw failed(`HTTP status ${status}`);
    return;
  }
  // A tcpSocket hook has never done anything in Kubernetes.
  if (sleep !== undefined) await delay(sleep.seconds * 1000, undefined, { signal });
}

function failed(message: string): StrakeError {
  return new StrakeError('FailedPrecondition', message, { fields: { layer: 'kubelet' } });
}
