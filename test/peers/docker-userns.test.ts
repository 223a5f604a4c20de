/** dockerd with `--userns-remap`, over strake-runc as over runc: every container in a user namespace of subordinate ids, made by root. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Step } from '../e2e/steps/step.ts';
import { busybox } from '../e2e/steps/step.ts';
import { strakeRuncInPeerRoot } from '../lib/dist.ts';
import { Engine } from '../lib/engine.ts';
import { idleSnapshot, leaksSince, type Snapshot } from '../lib/leaks.ts';
import { playAlike, warm } from '../lib/play.ts';
import { ordinaryUser } from './ordinary-user.ts';

const setupMs = 600_000; // the first run on a machine builds the peer root
const stepMs = 240_000;

const steps: readonly Step[] = [
  {
    name: 'ids inside and outside, devices, masks, limits, a terminal',
    async play(session) {
      const script =
        'cat /proc/self/uid_map /proc/self/gid_map; id; ls -ln /dev/null; touch /x; grep -E "^(Cap|Seccomp:)" /proc/self/status; cat /proc/kcore | wc -c';
      await session.docker(['run', '--rm', busybox, 'sh', '-c', script]);
      await session.docker(['run', '--rm', '--user', '33:50', '--memory', '64m', '--pids-limit', '20', busybox, 'id']);
      await session.docker(['run', '--rm', '-t', busybox, 'sh', '-c', 'test -t 1 && tty']);
      await session.docker([
        'run',
        '--rm',
        '--sysctl',
        'net.ipv4.ip_unprivileged_port_start=99',
        busybox,
        'cat',
        '/proc/sys/net/ipv4/ip_unprivileged_port_start',
      ]);
      await session.docker(['run', '--rm', '--oom-score-adj', '500', busybox, 'cat', '/proc/self/oom_score_adj']);
    },
  },
  {
    name: 'exec, a second container in its network, and what only the host may',
    async play(session) {
      const name = session.container('mapped');
      await session.ok('run', '-d', '--ipc', 'shareable', '--name', name, busybox, 'sleep', '1000');
      await session.docker(['exec', name, 'id', '-u']);
      await session.docker(['exec', '--user', '33', name, 'sh', '-c', 'id -u; echo > /dev/null && echo written']);
      const guest = session.container('guest');
      await session.ok('run', '-d', '--network', `container:${name}`, '--ipc', `container:${name}`, '--name', guest, busybox, 'sleep', '1000');
      const link = async (container: string, kind: string) => readlinkSync(session.engine.world.procPath(await session.pid(container), 'ns', kind));
      // Docker joins the owner of what it joins.
      for (const kind of ['net', 'ipc', 'user']) expect(await link(guest, kind)).toBe(await link(name, kind));
      await session.docker(['exec', guest, 'id', '-u']);
      await session.docker(['run', '--rm', '--privileged', busybox, 'true']);
      await session.docker(['run', '--rm', '--userns', 'host', '--privileged', busybox, 'cat', '/proc/self/uid_map']);
      await session.docker(['run', '--rm', '--network', 'host', busybox, 'true']);
    },
  },
  {
    name: 'volumes: one that root of the host alone may enter is the daemon’s to bind',
    async play(session) {
      const dir = session.directory('closed');
      mkdirSync(join(dir, 'inner'), { recursive: true, mode: 0o755 });
      await session.engine.peers.output(['chmod', '700', dir]);
      await session.docker(['run', '--rm', '-v', `${join(dir, 'inner')}:/mnt`, busybox, 'sh', '-c', 'stat -c "%u %a" /mnt; touch /mnt/x']);
      session.onEnd(() => session.engine.docker(['volume', 'rm', '--force', 'mapped-volume']));
      await session.docker(['run', '--rm', '-v', 'mapped-volume:/data', busybox, 'sh', '-c', 'touch /data/x; stat -c %u /data/x']);
    },
  },
];

let engines: readonly Engine[] = [];
const before = new Map<Engine, Snapshot>();

beforeAll(async () => {
  for (const runtime of [{}, { runtime: strakeRuncInPeerRoot }]) {
    const engine = await Engine.start('docker', { ...runtime, flags: ['--userns-remap=person'], prepare: ordinaryUser });
    engines = [...engines, engine];
    await warm(engine, busybox);
    before.set(engine, await idleSnapshot(engine.peers));
  }
}, setupMs);

afterAll(async () => {
  for (const engine of engines) await engine[Symbol.asyncDispose]();
}, setupMs);

for (const step of steps) test(step.name, () => playAlike(step, engines), stepMs);

test('nothing is left in the kernel', async () => {
  for (const engine of engines) expect(await leaksSince(before.get(engine) as Snapshot, engine.peers)).toEqual([]);
});
