import { describe, expect, test } from 'bun:test';
import { observation, testContainer, testPod, testRecord, testSandbox } from '../fixtures.ts';
import { type ContainerHealth, type Decision, decide } from './decide.ts';
import type { ContainerRecord, SandboxRecord } from './observe.ts';

/** A decision in a few words: `make 1`, `finish`, `run: kill a, start b`. */
function words(decision: Decision): string {
  if (decision.kind === 'make-sandbox') return `make ${decision.attempt}`;
  if (decision.kind === 'finish') return 'finish';
  const kill = decision.kill.map(({ container }) => ` kill ${container.name}`);
  const start = decision.start.map(({ container, before }) => ` start ${container.name}${before === undefined ? '' : ` after ${before.attempt}`}`);
  return `run:${[...kill, ...start].join(',')}`;
}

const well: ContainerHealth = { started: true, failed: undefined };
const lost = testSandbox({ ready: false });
const second = testSandbox({ id: 's1', attempt: 1, createdAt: 2n });

interface Case {
  readonly sandboxes: readonly SandboxRecord[];
  readonly containers?: readonly ContainerRecord[];
  readonly health?: Readonly<Record<string, ContainerHealth>>;
  readonly expected: string;
}

function check(pod: ReturnType<typeof testPod>, { sandboxes, containers = [], health = {}, expected }: Case): void {
  expect(words(decide(pod, observation(sandboxes, ...containers), (id) => health[id] ?? well))).toBe(expected);
}

const two = [testContainer('a'), testContainer('b')];

describe('containers of equal standing', () => {
  test.each<[string, string, Case]>([
    ['nothing is there', 'Always', { sandboxes: [], expected: 'make 0' }],
    ['the sandbox is there', 'Always', { sandboxes: [testSandbox()], expected: 'run: start a, start b' }],
    ['one runs', 'Always', { sandboxes: [testSandbox()], containers: [testRecord('a', 'running')], expected: 'run: start b' }],
    ['all run', 'Always', { sandboxes: [testSandbox()], containers: [testRecord('a', 'running'), testRecord('b', 'running')], expected: 'run:' }],
    [
      'one was made and not started',
      'Always',
      { sandboxes: [testSandbox()], containers: [testRecord('a', 'running'), testRecord('b', 'created')], expected: 'run: start b after 0' },
    ],
    [
      'one ended well',
      'Always',
      { sandboxes: [testSandbox()], containers: [testRecord('a/3', 0), testRecord('b', 'running')], expected: 'run: start a after 3' },
    ],
    ['one ended well', 'OnFailure', { sandboxes: [testSandbox()], containers: [testRecord('a', 0), testRecord('b', 'running')], expected: 'run:' }],
    ['one failed', 'OnFailure', { sandboxes: [testSandbox()], containers: [testRecord('a', 1), testRecord('b', 'running')], expected: 'run: start a after 0' }],
    ['one failed', 'Never', { sandboxes: [testSandbox()], containers: [testRecord('a', 1), testRecord('b', 'running')], expected: 'run:' }],
    ['all ended', 'Never', { sandboxes: [testSandbox()], containers: [testRecord('a', 1), testRecord('b', 0)], expected: 'finish' }],
    ['all ended well', 'OnFailure', { sandboxes: [lost], containers: [testRecord('a', 0), testRecord('b', 0)], expected: 'finish' }],
    ['the sandbox is lost', 'Always', { sandboxes: [lost], containers: [testRecord('a', 137)], expected: 'make 1' }],
    ['the sandbox is lost', 'Never', { sandboxes: [lost], containers: [testRecord('a', 137)], expected: 'finish' }],
    ['the sandbox was never whole', 'Never', { sandboxes: [lost], expected: 'make 1' }],
    ['the sandbox has no address', 'Always', { sandboxes: [testSandbox({ ips: [] })], expected: 'make 1' }],
    [
      'another sandbox',
      'Always',
      { sandboxes: [second, lost], containers: [testRecord('a/1', 137), testRecord('b', 137)], expected: 'run: start a after 1, start b after 0' },
    ],
    ['another sandbox', 'OnFailure', { sandboxes: [second, lost], containers: [testRecord('a', 0), testRecord('b', 137)], expected: 'run: start b after 0' }],
    [
      'one is not well',
      'Always',
      {
        sandboxes: [testSandbox()],
        containers: [testRecord('a', 'running'), testRecord('b', 'running')],
        health: { 's0-a-0': { started: true, failed: 'liveness' } },
        expected: 'run: kill a',
      },
    ],
  ])('%s, %s', (_name, restartPolicy, one) => check(testPod({ containers: two, restartPolicy }), one));

  test('in the network of the machine a sandbox has no address', () =>
    check(testPod({ hostNetwork: true }), { sandboxes: [testSandbox({ ips: [] })], expected: 'run: start main' }));
});

describe('init containers, one after the other', () => {
  const initContainers = [testContainer('i'), testContainer('j')];
  test.each<[string, string, Case]>([
    ['none has run', 'Always', { sandboxes: [testSandbox()], expected: 'run: start i' }],
    ['the first runs', 'Always', { sandboxes: [testSandbox()], containers: [testRecord('i', 'running')], expected: 'run:' }],
    ['the first is done', 'Always', { sandboxes: [testSandbox()], containers: [testRecord('i', 0)], expected: 'run: start j' }],
    ['the first failed', 'Always', { sandboxes: [testSandbox()], containers: [testRecord('i', 1)], expected: 'run: start i after 0' }],
    ['the first failed', 'Never', { sandboxes: [testSandbox()], containers: [testRecord('i', 1)], expected: 'finish' }],
    ['both are done', 'Always', { sandboxes: [testSandbox()], containers: [testRecord('j', 0), testRecord('i', 0)], expected: 'run: start main' }],
    ['their records are gone, and the others run', 'Always', { sandboxes: [testSandbox()], containers: [testRecord('main', 'running')], expected: 'run:' }],
    [
      'another sandbox begins anew',
      'Always',
      { sandboxes: [second, lost], containers: [testRecord('main', 137), testRecord('j', 0), testRecord('i', 0)], expected: 'run: start i after 0' },
    ],
  ])('%s, %s', (_name, restartPolicy, one) => check(testPod({ initContainers, restartPolicy }), one));
});

describe('a sidecar', () => {
  const initContainers = [testContainer('side', { restartPolicy: 'Always' }), testContainer('i')];
  const starting = { 's0-side-0': { started: false, failed: undefined } };
  test.each<[string, Case]>([
    ['comes first', { sandboxes: [testSandbox()], expected: 'run: start side' }],
    [
      'holds the next one up until it has come up',
      { sandboxes: [testSandbox()], containers: [testRecord('side', 'running')], health: starting, expected: 'run:' },
    ],
    ['stays beside the next one', { sandboxes: [testSandbox()], containers: [testRecord('side', 'running')], expected: 'run: start i' }],
    [
      'is restarted although it ended well',
      { sandboxes: [testSandbox()], containers: [testRecord('side', 0), testRecord('main', 'running')], expected: 'run: start side after 0' },
    ],
    [
      'holds up nobody who runs',
      { sandboxes: [testSandbox()], containers: [testRecord('side', 'running'), testRecord('main', 1)], health: starting, expected: 'run: start main after 0' },
    ],
    [
      'does not keep a pod that is done',
      { sandboxes: [testSandbox()], containers: [testRecord('side', 'running'), testRecord('i', 0), testRecord('main', 0)], expected: 'finish' },
    ],
  ])('%s', (_name, one) => check(testPod({ initContainers, restartPolicy: 'OnFailure' }), one));
});
