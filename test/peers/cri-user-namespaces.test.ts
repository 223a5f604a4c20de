/** Pods with a user namespace under `strake cri`, made by our runtime and by others' commands. */
import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { criLinux } from '../../src/api/cri/index.ts';
import { busybox } from '../e2e/steps/step.ts';
import { startRegistry } from '../fixtures/registry.ts';
import { Cri } from '../lib/cri.ts';
import { PeerWorld } from '../lib/peer-world.ts';

const caseMs = 600_000; // the first run on a machine builds the peer root
const { NamespaceMode: Mode } = criLinux;

test(
  'root of a pod with users of its own owns its files and nothing else, whichever runtime makes it',
  async () => {
    await using peers = await PeerWorld.start();
    await startRegistry(peers);
    const flags = ['runc=/usr/sbin/runc', 'crun=/usr/bin/crun', 'shim=io.containerd.runc.v2'].flatMap((runtime) => ['--runtime', runtime]);
    await using cri = await Cri.startInPeerRoot(peers, flags);
    await cri.images.pullImage({ image: { image: busybox } });
    const ids = [{ hostId: 100_000, containerId: 0, length: 65_536 }];
    const linux = { securityContext: { namespaceOptions: { pid: Mode.CONTAINER, usernsOptions: { mode: Mode.POD, uids: ids, gids: ids } } } };
    const tasks = join(cri.state, 'namespaces/k8s.io/tasks');
    const seen = [];
    for (const runtimeHandler of ['', 'runc', 'crun', 'shim']) {
      const metadata = { name: `mapped-${runtimeHandler}`, namespace: 'default', uid: runtimeHandler, attempt: 0 };
      const { podSandboxId } = await cri.runtime.runPodSandbox({ config: { metadata, hostname: 'mapped', linux }, runtimeHandler });
      const { id } = await cri.startContainer(podSandboxId, { image: { image: busybox }, command: ['sleep', '1000'], linux });
      const inside = await cri.exec(id, 'sh', '-c', 'hostname; id -u; stat -c %u /bin/busybox; touch /made && stat -c "%u %a" /made; cat /proc/self/uid_map');
      const others = await peers.output([
        'find',
        tasks,
        '-path',
        '*/rootfs',
        '-prune',
        '-o',
        '!',
        '-name',
        'runtime.pid',
        '-perm',
        '/077',
        '-printf',
        '%m %G /%P\n',
      ]);
      seen.push(inside.replaceAll(/ +/g, ' '));
      // A directory of each of ours is root's alone, and one of a shim's is elsewhere.
      const mapped = [podSandboxId, id].map((task) => `710 100000 /${task}`);
      expect(others.trim().split('\n').toSorted()).toEqual(['711 0 /', ...(['runc', 'crun'].includes(runtimeHandler) ? mapped : [])].toSorted());
      await cri.runtime.stopPodSandbox({ podSandboxId });
      await cri.runtime.removePodSandbox({ podSandboxId });
    }
    const alike = 'mapped\n0\n0\n0 644\n 0 100000 65536';
    expect(seen).toEqual([alike, alike, alike, alike]);
  },
  caseMs,
);
