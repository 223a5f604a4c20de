import { describe, expect, test } from 'bun:test';
import { observation, testContainer, testPod, testRecord, testSandbox } from '../fixtures.ts';
import type { V1PodSpec } from '../kubernetes.ts';
import type { ContainerRecord, SandboxRecord } from '../worker/observe.ts';
import { type PodFacts, podStatus } from './pod-status.ts';

function factsOf(
  spec: Partial<V1PodSpec>,
  sandboxes: readonly SandboxRecord[],
  containers: readonly ContainerRecord[],
  more: Partial<PodFacts> = {},
): PodFacts {
  return {
    pod: testPod(spec),
    observed: observation(sandboxes, ...containers),
    waiting: new Map(),
    problem: undefined,
    reason: undefined,
    startedAtMs: 1000,
    isReady: () => true,
    isStarted: () => true,
    hostIPs: ['192.0.2.1'],
    runtimeName: 'rt',
    ...more,
  };
}

const two = { containers: [testContainer('a'), testContainer('b')] };
const withInit = { initContainers: [testContainer('i')] };
const withSidecar = { initContainers: [testContainer('side', { restartPolicy: 'Always' })] };

describe('the phase', () => {
  test.each<[string, Partial<V1PodSpec>, readonly ContainerRecord[], string]>([
    ['nothing is there', two, [], 'Pending'],
    ['one of two runs', two, [testRecord('a', 'running')], 'Pending'],
    ['both run', two, [testRecord('a', 'running'), testRecord('b', 'running')], 'Running'],
    ['one ended and will come again', two, [testRecord('a', 'running'), testRecord('b', 1)], 'Running'],
    ['both ended and will come again', two, [testRecord('a', 0), testRecord('b', 1)], 'Running'],
    ['both ended well', { ...two, restartPolicy: 'Never' }, [testRecord('a', 0), testRecord('b', 0)], 'Succeeded'],
    ['one failed', { ...two, restartPolicy: 'Never' }, [testRecord('a', 0), testRecord('b', 1)], 'Failed'],
    ['one failed and will come again', { ...two, restartPolicy: 'OnFailure' }, [testRecord('a', 0), testRecord('b', 1)], 'Running'],
    ['an init container runs', withInit, [testRecord('i', 'running')], 'Pending'],
    ['an init container failed', withInit, [testRecord('i', 1)], 'Pending'],
    ['an init container failed for good', { ...withInit, restartPolicy: 'Never' }, [testRecord('i', 1)], 'Failed'],
    ['a sidecar does not count', { ...withSidecar, restartPolicy: 'Never' }, [testRecord('side', 'running'), testRecord('main', 0)], 'Succeeded'],
  ])('%s', (_name, spec, containers, phase) => {
    expect(podStatus(factsOf(spec, [testSandbox()], containers)).phase).toBe(phase);
  });

  test('a pod that failed as a whole says why', () => {
    const reason = { reason: 'DeadlineExceeded', message: 'too late' };
    expect(podStatus(factsOf({}, [], [testRecord('main', 137)], { reason }))).toMatchObject({ phase: 'Failed', ...reason });
  });
});

describe('a container', () => {
  const statusOf = (containers: readonly ContainerRecord[], more: Partial<PodFacts> = {}) =>
    podStatus(factsOf({}, [testSandbox()], containers, more)).containerStatuses?.[0];
  const ended = { exitCode: 3, reason: 'Error', startedAt: new Date(1000), finishedAt: new Date(2000), containerID: 'rt://s0-main-0' };

  test('that was never there', () => {
    expect(statusOf([])).toEqual({
      name: 'main',
      state: { waiting: { reason: 'ContainerCreating' } },
      lastState: {},
      ready: false,
      restartCount: 0,
      image: 'busybox:1',
      imageID: '',
      started: false,
    });
  });

  test('that cannot be made, as its pod cannot', () => {
    expect(statusOf([], { problem: 'no network' })?.state).toEqual({ waiting: { reason: 'ContainerCreating', message: 'no network' } });
  });

  test('that runs again', () => {
    expect(statusOf([testRecord('main/1', 'running'), testRecord('main', 3)])).toEqual({
      name: 'main',
      state: { running: { startedAt: new Date(1000) } },
      lastState: { terminated: ended },
      ready: true,
      restartCount: 1,
      image: 'busybox:1',
      imageID: 'sha256:1',
      containerID: 'rt://s0-main-1',
      started: true,
    });
  });

  test('that waits to run again', () => {
    const waiting = new Map([['main', { reason: 'CrashLoopBackOff', message: 'back-off 10s' }]]);
    expect(statusOf([testRecord('main', 3)], { waiting })).toMatchObject({
      state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } },
      lastState: { terminated: ended },
      ready: false,
    });
  });

  test('that is not ready, and its pod', () => {
    const status = podStatus(factsOf({}, [testSandbox()], [testRecord('main', 'running')], { isReady: () => false }));
    expect(status.containerStatuses?.[0]?.ready).toBe(false);
    expect(status.conditions).toEqual([
      { type: 'PodReadyToStartContainers', status: 'True' },
      { type: 'Initialized', status: 'True' },
      { type: 'Ready', status: 'False', reason: 'ContainersNotReady', message: 'containers with unready status: [main]' },
      { type: 'ContainersReady', status: 'False', reason: 'ContainersNotReady', message: 'containers with unready status: [main]' },
      { type: 'PodScheduled', status: 'True' },
    ]);
  });
});
