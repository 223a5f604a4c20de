/** The real podman with strake-runc by `--runtime`, beside runc, as root and as an ordinary user with subordinate ids. What is seen must be equal. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { registryHost, startRegistry } from '../fixtures/registry.ts';
import { strakeRuncInPeerRoot } from '../lib/dist.ts';
import { idleSnapshot, leaksSince, type Snapshot } from '../lib/leaks.ts';
import { PeerWorld } from '../lib/peer-world.ts';
import { until } from '../lib/until.ts';
import { type ClientOptions, type PeerStep, seenOver } from './client.ts';
import { ordinaryUser, Person } from './ordinary-user.ts';
import { commonSteps, rootlessSteps, rootSteps } from './podman-steps.ts';

const setupMs = 600_000; // the first run on a machine builds the peer root
const stepMs = 240_000;
const runtimes = ['/usr/sbin/runc', strakeRuncInPeerRoot];

let peers: PeerWorld;

beforeAll(async () => {
  peers = await PeerWorld.start();
  await startRegistry(peers);
  await ordinaryUser(peers);
  // Podman writes its log file for those runtimes alone whose names it knows to write JSON.
  writeFileSync(join(peers.world.work, 'containers.conf'), '[engine]\nruntime_supports_json = ["runc", "strake-runc"]\nevents_logger = "file"\n');
}, setupMs);

afterAll(async () => {
  await peers[Symbol.asyncDispose]();
}, setupMs);

interface Account {
  readonly name: string;
  readonly steps: readonly PeerStep[];
  options(runtime: string): ClientOptions;
}

const accounts: readonly Account[] = [
  {
    name: 'root',
    steps: [...commonSteps, ...rootSteps],
    options: (runtime) => podman(runtime, join(peers.world.work, 'podman-root'), []),
  },
  {
    name: 'an ordinary user',
    steps: [...commonSteps, ...rootlessSteps],
    options: (runtime) => podman(runtime, join(Person.home(peers), 'podman'), Person.become, Person.environment(peers)),
  },
];

function podman(runtime: string, storage: string, become: readonly string[], env: Readonly<Record<string, string>> = {}): ClientOptions {
  const flags = ['--root', storage, '--runroot', `${storage}-run`, '--cgroup-manager', 'cgroupfs', '--runtime', runtime];
  return {
    place: peers,
    runtime,
    command: [...become, 'podman', ...flags],
    work: peers.world.work,
    env: { ...env, CONTAINERS_CONF_OVERRIDE: join(peers.world.work, 'containers.conf'), PODMAN_IGNORE_CGROUPSV1_WARNING: '1' },
  };
}

/** Or ending, which is when there is no command line. One more process of podman keeps the user namespace, and stays. */
function isCleaning(pid: number): boolean {
  try {
    return /^$|conmon|container cleanup/.test(peers.world.proc(pid, 'cmdline'));
  } catch {
    return false; // it has ended
  }
}

for (const account of accounts)
  describe(`${account.name}: over strake-runc as over runc`, () => {
    let before: Snapshot;

    beforeAll(async () => {
      mkdirSync(join(peers.world.work, 'shared'), { recursive: true });
      for (const runtime of runtimes) {
        const { place, command, env = {} } = account.options(runtime);
        await place.output([...command, 'pull', '--quiet', '--tls-verify=false', `${registryHost}/busybox`], { env });
        await place.output([...command, 'run', '--rm', '--network', 'none', `${registryHost}/busybox`, 'true'], { env });
      }
      await until('podman to have cleaned up', () => peers.world.pids().every((pid) => !isCleaning(pid)));
      before = await idleSnapshot(peers);
    }, setupMs);

    for (const step of account.steps)
      test(
        step.name,
        async () => {
          const seen = [];
          for (const runtime of runtimes) seen.push(await seenOver(step, account.options(runtime)));
          expect(seen[1]).toEqual(seen[0] ?? []);
        },
        stepMs,
      );

    test('nothing is left in the kernel', async () => {
      expect(await leaksSince(before, peers)).toEqual([]);
    });
  });
