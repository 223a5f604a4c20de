import { expect } from 'bun:test';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { V1Container, V1ContainerStatus, V1Pod, V1PodSpec, V1Volume, V1VolumeMount } from '../../src/kubelet/kubernetes.ts';
import { until } from '../lib/until.ts';
import { busybox, type KubeletWorld } from './kubelet-world.ts';

/** A piece of a kubelet's work, which must come out the same on any runtime, and leaves nothing. */
export interface PodStep {
  readonly name: string;
  play(world: KubeletWorld): Promise<void>;
}

function pod(name: string, spec: Partial<V1PodSpec> & { readonly containers: V1Container[] }): V1Pod {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { app: name } }, spec: { terminationGracePeriodSeconds: 0, ...spec } };
}

function shell(name: string, script: string, more: Partial<V1Container> = {}): V1Container {
  return { name, image: busybox, command: ['sh', '-c', script], ...more };
}

/** A directory of its own that the test looks into, at `/outside`. */
function outside(world: KubeletWorld, name: string): { readonly volumes: V1Volume[]; readonly volumeMounts: V1VolumeMount[] } {
  return {
    volumes: [{ name: 'outside', hostPath: { path: join(world.outside, name), type: 'DirectoryOrCreate' } }],
    volumeMounts: [{ name: 'outside', mountPath: '/outside' }],
  };
}

const forever = 'sleep 100000';

function container({ status }: V1Pod, name: string): V1ContainerStatus | undefined {
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].find((one) => one.name === name);
}

function isReady({ status }: V1Pod): boolean {
  return status?.conditions?.some(({ type, status: holds }) => type === 'Ready' && holds === 'True') ?? false;
}

/** What the first pod of a runtime leaves, which is for all of them: a bridge, the cgroups of classes, images. */
export const warmUp: PodStep = {
  name: 'a pod that does nothing',
  async play(world) {
    const burstable = { resources: { requests: { cpu: '10m' } } };
    world.apply('warm', pod('warm', { containers: [shell('main', forever)] }), pod('warmer', { containers: [shell('main', forever, burstable)] }));
    for (const name of ['warm', 'warmer']) await world.pod(name, 'ready', isReady);
    world.withdraw('warm');
    for (const name of ['warm', 'warmer']) await world.gone(name);
  },
};

const page: PodStep = {
  name: 'a web server: an init container, volumes of a configMap and of memory, readiness, a change of the configMap',
  async play(world) {
    const configMap = (text: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'page' }, data: { 'index.html': text } });
    const web = pod('web', {
      initContainers: [shell('prepare', 'echo prepared > /made/index.html', { volumeMounts: [{ name: 'work', mountPath: '/made' }] })],
      containers: [
        shell('httpd', 'exec httpd -f -p 80 -h /', {
          env: [{ name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }],
          ports: [{ name: 'http', containerPort: 80 }],
          readinessProbe: { httpGet: { path: '/page/index.html', port: 'http' }, periodSeconds: 1 },
          resources: { limits: { memory: '64Mi' } },
          volumeMounts: [
            { name: 'page', mountPath: '/page' },
            { name: 'work', mountPath: '/sub/index.html', subPath: 'index.html' },
          ],
        }),
      ],
      volumes: [
        { name: 'page', configMap: { name: 'page' } },
        { name: 'work', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
      ],
    });
    world.apply('web', web, configMap('first'));
    const { status } = await world.pod('web', 'ready', isReady);
    const address = `http://${status?.podIP}`;
    expect(await world.get(`${address}/page/index.html`)).toBe('first');
    expect(await world.get(`${address}/sub/index.html`)).toBe('prepared\n');
    const id = container({ status: status ?? {} } as V1Pod, 'httpd')?.containerID;
    expect(await world.exec(id, 'sh', '-c', 'echo $IP; cat /etc/hosts')).toEndWith(`${status?.podIP}\tweb\n`);
    world.apply('web', web, configMap('second'));
    await until('the new page', async () => (await world.get(`${address}/page/index.html`)) === 'second');
    expect(container(await world.pod('web', 'as it was', isReady), 'httpd')).toMatchObject({ restartCount: 0, containerID: id });
    world.withdraw('web');
    await world.gone('web');
  },
};

const restarts: PodStep = {
  name: 'a container that ends is restarted, after a pause, and its last words are kept; one that fails its liveness probe too',
  async play(world) {
    const liveness = { exec: { command: ['test', '-e', '/fine'] }, periodSeconds: 1, failureThreshold: 1 };
    world.apply(
      'restarts',
      pod('restarts', {
        containers: [
          shell('flaky', 'echo last words > /dev/termination-log; exit 3'),
          shell('hangs', `touch /fine; sleep 1; rm /fine; ${forever}`, { livenessProbe: liveness }),
          shell('steady', forever),
        ],
      }),
    );
    const seen = await world.pod(
      'restarts',
      'restarted',
      (one) => (container(one, 'flaky')?.restartCount ?? 0) >= 2 && (container(one, 'hangs')?.restartCount ?? 0) >= 1,
    );
    expect(container(seen, 'flaky')?.lastState?.terminated).toMatchObject({ exitCode: 3, reason: 'Error', message: 'last words\n' });
    expect(container(seen, 'hangs')?.lastState?.terminated).toMatchObject({ exitCode: 137 });
    expect(container(seen, 'steady')).toMatchObject({ restartCount: 0, ready: true });
    await world.pod('restarts', 'in a pause', (one) => container(one, 'flaky')?.state?.waiting?.reason === 'CrashLoopBackOff');
    world.withdraw('restarts');
    await world.gone('restarts');
  },
};

const order: PodStep = {
  name: 'a job: the sidecar comes first and goes last, hooks are run, and the pod succeeds',
  async play(world) {
    const { volumes, ...mount } = outside(world, 'job');
    const say = (word: string) => `echo ${word} >> /outside/order`;
    world.apply(
      'job',
      pod('job', {
        restartPolicy: 'Never',
        terminationGracePeriodSeconds: 10,
        shareProcessNamespace: true,
        initContainers: [
          shell('side', `trap 'exit 0' TERM; ${say('side')}; touch /up; while :; do sleep 0.1; done`, {
            restartPolicy: 'Always',
            startupProbe: { exec: { command: ['test', '-e', '/up'] }, periodSeconds: 1, timeoutSeconds: 10 },
            lifecycle: { preStop: { exec: { command: ['sh', '-c', say('stopping')] } } },
            ...mount,
          }),
          shell('init', say('init'), mount),
        ],
        containers: [
          shell('main', `${say('main')}; while [ ! -e /hooked ]; do sleep 0.1; done; pidof httpd sleep sh >/dev/null && ${say('done')}`, {
            lifecycle: { postStart: { exec: { command: ['touch', '/hooked'] } } },
            ...mount,
          }),
        ],
        volumes,
      }),
    );
    const seen = await world.pod(
      'job',
      'done',
      ({ status }) => status?.phase === 'Succeeded' && status.initContainerStatuses?.[0]?.state?.terminated !== undefined,
    );
    expect(container(seen, 'side')?.state?.terminated).toMatchObject({ exitCode: 0 });
    expect(readFileSync(join(world.outside, 'job/order'), 'utf8').trim().split('\n')).toEqual(['side', 'init', 'main', 'done', 'stopping']);
    world.withdraw('job');
    await world.gone('job');
  },
};

const identity: PodStep = {
  name: 'users, groups of volumes, an image as a volume, and what cannot be run says why',
  async play(world) {
    world.apply(
      'identity',
      pod('identity', {
        securityContext: { runAsUser: 1000, runAsGroup: 1001, fsGroup: 2000 },
        containers: [
          shell('user', forever, {
            volumeMounts: [
              { name: 'empty', mountPath: '/empty' },
              { name: 'secret', mountPath: '/secret' },
              { name: 'image', mountPath: '/image' },
            ],
          }),
          shell('root', forever, { securityContext: { runAsUser: 0, runAsNonRoot: true } }),
          shell('nothing', forever, { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'none', key: 'k' } } }] }),
          { ...shell('absent', forever), image: '127.0.0.1:5000/none:1' },
        ],
        volumes: [
          { name: 'empty', emptyDir: {} },
          { name: 'secret', secret: { secretName: 'word', defaultMode: 0o400 } },
          { name: 'image', image: { reference: busybox } },
        ],
      }),
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'word' }, stringData: { password: 'hush' } },
    );
    const waits = (name: string, reason: RegExp) => (one: V1Pod) => reason.test(container(one, name)?.state?.waiting?.reason ?? '');
    await world.pod('identity', 'waiting for an image', waits('absent', /^(ErrImagePull|ImagePullBackOff)$/));
    const seen = await world.pod(
      'identity',
      'up as far as it can be',
      (one) => container(one, 'user')?.state?.running !== undefined && ['root', 'nothing'].every((name) => waits(name, /^CreateContainerConfigError$/)(one)),
    );
    expect(container(seen, 'root')?.state?.waiting).toEqual({ reason: 'CreateContainerConfigError', message: "container's runAsUser breaks non-root policy" });
    expect(container(seen, 'nothing')?.state?.waiting).toEqual({ reason: 'CreateContainerConfigError', message: 'configMap "default/none" not found' });
    const id = container(seen, 'user')?.containerID;
    expect(
      await world.exec(
        id,
        'sh',
        '-c',
        'touch /empty/x; stat -c "%u %g" /empty/x; stat -L -c "%a %g" /secret/password; cat /secret/password; id; /image/bin/busybox echo image',
      ),
    ).toBe('1000 2000\n440 2000\nhushuid=1000 gid=1001 groups=1001,2000\nimage\n');
    world.withdraw('identity');
    await world.gone('identity');
  },
};

const links: PodStep = {
  name: 'a link that a container makes leads its next mount nowhere but into the volume',
  async play(world) {
    const secret = join(world.outside, 'secret');
    const volumeMounts = [{ name: 'volume', mountPath: '/volume' }];
    world.apply(
      'links',
      pod('links', {
        initContainers: [
          shell(
            'attack',
            `mkdir -p /volume${world.outside}/secret; ln -s ${secret} /volume/absolute; ln -s ../../../../../../../..${secret} /volume/relative`,
            { volumeMounts },
          ),
        ],
        containers: [
          shell('victim', forever, {
            volumeMounts: ['absolute', 'relative'].map((subPath) => ({ name: 'volume', mountPath: `/${subPath}`, subPath })),
          }),
        ],
        volumes: [{ name: 'volume', emptyDir: {} }],
      }),
    );
    const seen = await world.pod('links', 'ready', isReady);
    await world.exec(container(seen, 'victim')?.containerID, 'sh', '-c', 'touch /absolute/caught /relative/caught');
    expect(existsSync(secret)).toBe(false);
    world.withdraw('links');
    await world.gone('links');
  },
};

const death: PodStep = {
  name: 'a kubelet that is killed finds its pods again, and ends those whose manifests went meanwhile',
  async play(world) {
    for (const name of ['stays', 'goes']) world.apply(name, pod(name, { containers: [shell('main', forever)] }));
    const before = container(await world.pod('stays', 'ready', isReady), 'main');
    await world.pod('goes', 'ready', isReady);
    await world.killKubelet();
    world.withdraw('goes');
    await world.startKubelet();
    await world.gone('goes');
    expect(container(await world.pod('stays', 'ready', isReady), 'main')).toEqual(before as V1ContainerStatus);
    world.apply('stays', pod('stays', { containers: [shell('main', forever), shell('other', forever)] }));
    const changed = await world.pod('stays', 'another', (one) => isReady(one) && container(one, 'other') !== undefined);
    expect(container(changed, 'main')?.containerID).not.toBe(before?.containerID);
    world.withdraw('stays');
    await world.gone('stays');
  },
};

const runtimeDeath: PodStep = {
  name: 'a runtime that is killed and comes again: containers and their probes go on',
  async play(world) {
    const { volumes, volumeMounts } = outside(world, 'steady');
    world.apply(
      'steady',
      pod('steady', {
        containers: [
          shell('exec', forever, {
            livenessProbe: { exec: { command: ['sh', '-c', 'echo >> /outside/probed'] }, periodSeconds: 1, failureThreshold: 1, timeoutSeconds: 10 },
            volumeMounts,
          }),
          shell('tcp', 'exec httpd -f -p 81', { readinessProbe: { tcpSocket: { port: 81 }, periodSeconds: 1 } }),
        ],
        volumes,
      }),
    );
    const before = await world.pod('steady', 'ready', isReady);
    const probes = () => readFileSync(join(world.outside, 'steady/probed'), 'utf8').length;
    await until('a probe', () => existsSync(join(world.outside, 'steady/probed')));
    await world.restartRuntime();
    const seen = probes();
    await until('probes after it', () => probes() > seen + 1);
    const after = await world.pod('steady', 'as it was', isReady);
    expect(after.status?.containerStatuses).toEqual(before.status?.containerStatuses ?? []);
    world.withdraw('steady');
    await world.gone('steady');
  },
};

/** Not on the real containerd: it tells of a container's end before its sandbox's, and leaves a shim behind when a start comes in between. */
export const lostSandbox: PodStep = {
  name: 'a sandbox that is lost is made anew, with all that was in it',
  async play(world) {
    world.apply('lost', pod('lost', { initContainers: [shell('init', 'true')], containers: [shell('main', forever)] }));
    const before = await world.pod('lost', 'ready', isReady);
    using cri = world.connect();
    const { items } = await cri.runtime.listPodSandbox({ filter: { labelSelector: { 'io.kubernetes.pod.name': 'lost' } } });
    await cri.runtime.stopPodSandbox({ podSandboxId: items[0]?.id ?? '' });
    const again = await world.pod('lost', 'up once more', (one) => isReady(one) && (container(one, 'main')?.restartCount ?? 0) >= 1);
    expect(container(again, 'init')).toMatchObject({ restartCount: 1, ready: true });
    expect(again.status?.startTime).toBe(before.status?.startTime as Date);
    world.withdraw('lost');
    await world.gone('lost');
  },
};

const namespaces: PodStep = {
  name: 'a pod in the network of the machine, and one with users of its own',
  async play(world) {
    world.apply(
      'namespaces',
      pod('of-machine', { hostNetwork: true, containers: [shell('main', forever)] }),
      pod('of-its-own', {
        hostUsers: false,
        containers: [shell('main', forever, { volumeMounts: [{ name: 'empty', mountPath: '/empty' }] })],
        volumes: [{ name: 'empty', emptyDir: {} }],
      }),
    );
    const inMachine = await world.pod('of-machine', 'ready', isReady);
    expect(inMachine.status?.podIP).toBe('192.0.2.1');
    expect(await world.exec(container(inMachine, 'main')?.containerID, 'readlink', '/proc/self/ns/net')).toBe(
      await world.peers.output(['readlink', '/proc/self/ns/net']),
    );
    const own = container(await world.pod('of-its-own', 'ready', isReady), 'main')?.containerID;
    expect(await world.exec(own, 'sh', '-c', 'touch /empty/x && stat -c "%u %g" /empty/x; tr -s " " < /proc/self/uid_map')).toBe('0 0\n 0 65536 65536\n');
    world.withdraw('namespaces');
    for (const name of ['of-machine', 'of-its-own']) await world.gone(name);
  },
};

const played: PodStep = {
  name: 'kube play, generate and down, with a kubelet and without',
  async play(world) {
    const file = join(world.outside, 'played.json');
    const manifest = pod('played', { containers: [shell('main', forever)] });
    await Bun.write(file, JSON.stringify(manifest));
    for (const hasKubelet of [true, false]) {
      if (!hasKubelet) await world.killKubelet();
      const up = await world.kube('play', file);
      expect({ code: up.code, stderr: up.stderr }).toEqual({ code: 0, stderr: '' });
      expect(up.stdout).toMatch(/^pod\/default\/played Running \d+\.\d+\.\d+\.\d+\n$/);
      const generated = await world.kube('generate', 'played');
      expect(generated.stdout).toContain(`image: ${busybox}`);
      await Bun.write(file, generated.stdout);
      expect(await world.kube('play', file)).toMatchObject({ code: 0, stdout: up.stdout });
      expect(await world.kube('down', file)).toMatchObject({ code: 0, stdout: 'pod/default/played gone\n', stderr: '' });
    }
    await world.startKubelet();
  },
};

export const podSteps: readonly PodStep[] = [page, restarts, order, identity, links, namespaces, death, runtimeDeath, played];
