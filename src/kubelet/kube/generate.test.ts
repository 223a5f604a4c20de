import { expect, test } from 'bun:test';
import { create } from '@bufbuild/protobuf';
import { criContainer, criPod } from '../../api/cri/index.ts';
import { manifestAnnotation } from '../config/labels.ts';
import type { Cri } from '../cri.ts';
import { testPod } from '../fixtures.ts';
import { parseManifests } from '../manifests/parse.ts';
import { makePod } from '../pods/pod.ts';
import { generateManifest } from './generate.ts';

const sandbox = (id: string, name: string, namespace: string, annotations: Record<string, string> = {}) =>
  create(criPod.PodSandboxSchema, { id, metadata: { name, namespace, uid: `uid of ${namespace}/${name}` }, createdAt: 1n, annotations });

/** A runtime that has these sandboxes, each with one container. */
function runtimeOf(...items: readonly criPod.PodSandbox[]): Cri {
  const status = create(criContainer.ContainerStatusSchema, {
    id: 'c',
    metadata: { name: 'main' },
    image: { image: 'sha256:1', userSpecifiedImage: 'busybox:1' },
    mounts: [
      { containerPath: '/data', hostPath: '/srv', readonly: true },
      { containerPath: '/more', hostPath: '/srv' },
      { containerPath: '/etc/hosts', hostPath: '/x/hosts' },
    ],
    resources: { linux: { memoryLimitInBytes: 64n << 20n, cpuPeriod: 100_000n, cpuQuota: 50_000n } },
  });
  const config = { command: ['sh'], args: ['-c', 'true'], envs: [{ key: 'A', value: '1' }], tty: true };
  return {
    runtime: {
      listPodSandbox: async () => ({ items: [...items] }),
      podSandboxStatus: async ({ podSandboxId }: { podSandboxId: string }) => {
        const found = items.find(({ id }) => id === podSandboxId);
        return {
          status: create(criPod.PodSandboxStatusSchema, {
            ...(found?.metadata === undefined ? {} : { metadata: found.metadata }),
            labels: { app: 'x', 'io.kubernetes.pod.uid': 'u' },
            linux: { namespaces: { options: { network: 2, pid: 1 } } },
          }),
        };
      },
      listContainers: async () => ({ containers: [create(criContainer.ContainerSchema, { id: 'c', metadata: { name: 'main' } })] }),
      containerStatus: async () => ({ status, info: { info: JSON.stringify({ config }) } }),
    },
  } as unknown as Cri;
}

test('a pod of a manifest gives the manifest', async () => {
  const { manifest, uid } = testPod({ hostname: 'yes' });
  const text = await generateManifest(runtimeOf(sandbox('abc', 'pod', 'default', { [manifestAnnotation]: JSON.stringify(manifest) })), 'pod');
  expect(makePod(parseManifests(text, 'f').pods[0] ?? {}).uid).toBe(uid);
});

test('a pod of somebody else is described as far as the runtime knows it', async () => {
  expect(await generateManifest(runtimeOf(sandbox('abc', 'pod', 'default')), 'default/pod')).toBe(`apiVersion: v1
kind: Pod
metadata:
  name: pod
  namespace: default
  labels:
    app: x
spec:
  hostNetwork: true
  containers:
    - name: main
      image: busybox:1
      command:
        - sh
      args:
        - -c
        - "true"
      env:
        - name: A
          value: "1"
      tty: true
      resources:
        limits:
          cpu: 500m
          memory: "67108864"
      volumeMounts:
        - name: volume-0
          mountPath: /data
          readOnly: true
        - name: volume-0
          mountPath: /more
  volumes:
    - name: volume-0
      hostPath:
        path: /srv
`);
});

test('a name that means none, or several', async () => {
  const runtime = runtimeOf(sandbox('abc', 'pod', 'one'), sandbox('def', 'pod', 'two'));
  expect(generateManifest(runtime, 'none')).rejects.toThrow('there is no pod "none"');
  expect(generateManifest(runtime, 'pod')).rejects.toThrow('several pods are meant by "pod": one/pod (abc), two/pod (def)');
  expect(await generateManifest(runtime, 'two/pod')).toContain('namespace: two');
});
