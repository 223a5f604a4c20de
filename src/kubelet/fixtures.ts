import type { V1Container, V1PodSpec } from './kubernetes.ts';
import { makePod, type Pod } from './pods/pod.ts';
import type { ContainerRecord, PodObservation, SandboxRecord } from './worker/observe.ts';

/** A pod for tests: one container `main` unless the spec says otherwise. */
export function testPod(spec: Partial<V1PodSpec> = {}): Pod {
  return makePod({
    metadata: { name: 'pod', labels: { app: 'test' }, annotations: { note: 'a "b"' } },
    spec: { containers: [testContainer('main')], ...spec },
  });
}

export function testContainer(name: string, more: Partial<V1Container> = {}): V1Container {
  return { name, image: 'busybox:1', ...more };
}

export function testSandbox(more: Partial<SandboxRecord> = {}): SandboxRecord {
  return { id: 's0', attempt: 0, createdAt: 1n, ready: true, ips: ['10.0.0.2'], userns: undefined, ...more };
}

/** `name`, or `name/attempt`, and how it is: `running`, `created`, or the code that it exited with. */
export function testRecord(label: string, state: 'running' | 'created' | number, sandboxId = 's0'): ContainerRecord {
  const [name = '', attempt = '0'] = label.split('/');
  return {
    id: `${sandboxId}-${name}-${attempt}`,
    name,
    sandboxId,
    attempt: Number(attempt),
    state: typeof state === 'number' ? 'exited' : state,
    createdAt: BigInt(attempt),
    startedAt: 1_000_000_000n,
    finishedAt: typeof state === 'number' ? 2_000_000_000n : 0n,
    exitCode: typeof state === 'number' ? state : 0,
    reason: '',
    message: '',
    image: 'busybox:1',
    imageRef: 'sha256:1',
    logPath: '',
    messageFile: () => undefined,
  };
}

export function observation(sandboxes: readonly SandboxRecord[], ...containers: readonly ContainerRecord[]): PodObservation {
  return { sandboxes, containers };
}
