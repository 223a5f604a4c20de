import { describe, expect, test } from 'bun:test';
import { criLinux } from '../../api/cri/index.ts';
import { testContainer, testPod } from '../fixtures.ts';
import type { V1ResourceRequirements } from '../kubernetes.ts';
import { qosClass } from '../pods/qos.ts';
import { cgroupParent } from './cgroup-parent.ts';
import { hostsFile } from './hosts-file.ts';
import { containerResources, podResources } from './resources.ts';
import { hostnameOf } from './sandbox.ts';
import { containerSecurityContext, namespaceOptions } from './security-context.ts';

const memoryBytes = 8n << 30n;
const withResources = (resources: V1ResourceRequirements) => testPod({ containers: [testContainer('main', { resources })] });

describe('resources', () => {
  test.each<[V1ResourceRequirements, object]>([
    [{}, { cpuShares: 2n, hugepageLimits: [], oomScoreAdj: 1000n }],
    [
      { limits: { cpu: '500m', memory: '64Mi' } },
      { cpuShares: 512n, cpuPeriod: 100_000n, cpuQuota: 50_000n, memoryLimitInBytes: 67_108_864n, hugepageLimits: [], oomScoreAdj: -997n },
    ],
    [{ limits: { cpu: '1m' } }, { cpuShares: 2n, cpuPeriod: 100_000n, cpuQuota: 1000n, hugepageLimits: [], oomScoreAdj: 999n }],
    [{ requests: { memory: '2Gi', cpu: '1' } }, { cpuShares: 1024n, hugepageLimits: [], oomScoreAdj: 750n }],
    [{ limits: { 'hugepages-2Mi': '4Mi' } }, { cpuShares: 2n, hugepageLimits: [{ pageSize: '2MB', limit: 4_194_304n }], oomScoreAdj: 1000n }],
  ])('%j', (resources, expected) => {
    const { spec } = withResources(resources);
    expect(containerResources(spec.containers[0] ?? testContainer(''), spec, memoryBytes)).toEqual(expected);
  });

  test('a pod has what its containers have together, or its init container that has most', () => {
    const resources = (cpu: string) => ({ limits: { cpu, memory: '1Mi' } });
    const { spec } = testPod({
      containers: [testContainer('a', { resources: resources('1') }), testContainer('b', { resources: resources('2') })],
      initContainers: [testContainer('i', { resources: resources('4') })],
    });
    expect(podResources(spec)).toEqual({ cpuShares: 4096n, cpuPeriod: 100_000n, cpuQuota: 400_000n, memoryLimitInBytes: 2_097_152n });
  });
});

test.each<[V1ResourceRequirements, string, string, string]>([
  [{}, 'BestEffort', '/kubepods/besteffort/podU', '/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podU.slice'],
  [{ requests: { cpu: '1' } }, 'Burstable', '/kubepods/burstable/podU', '/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podU.slice'],
  [{ limits: { cpu: '1', memory: '1Mi' } }, 'Guaranteed', '/kubepods/podU', '/kubepods.slice/kubepods-podU.slice'],
])('%j is %s', (resources, qos, directory, slice) => {
  const pod = { ...withResources(resources), uid: 'U' };
  expect(qosClass(pod.spec)).toBe(qos as ReturnType<typeof qosClass>);
  expect(cgroupParent(pod, 'cgroupfs', '/')).toBe(directory);
  expect(cgroupParent(pod, 'systemd', '/')).toBe(slice);
});

describe('security', () => {
  const { RuntimeDefault, Unconfined, Localhost } = criLinux.SecurityProfile_ProfileType;
  const defaults = { seccompDefault: true, seccompDir: '/seccomp', maskedPaths: ['/proc/kcore'], readonlyPaths: ['/proc/sys'] };
  const contextOf = (securityContext: object, podContext: object = {}) => {
    const { spec } = testPod({ containers: [testContainer('main', { securityContext })], securityContext: podContext });
    return containerSecurityContext(spec.containers[0] ?? testContainer(''), spec, namespaceOptions(spec), defaults);
  };

  test("a container that says nothing has the runtime's profile, and no paths of the kernel", () => {
    const { seccomp, maskedPaths, privileged, noNewPrivs } = contextOf({});
    expect({ seccomp, privileged, noNewPrivs }).toEqual({ seccomp: { profileType: RuntimeDefault }, privileged: false, noNewPrivs: false });
    expect(maskedPaths).toContain('/proc/kcore');
  });

  test('what it says goes before what its pod says', () => {
    const context = contextOf(
      { runAsUser: 7, seccompProfile: { type: 'Localhost', localhostProfile: 'a.json' }, capabilities: { drop: ['ALL'] } },
      { runAsUser: 5, runAsGroup: 6, fsGroup: 9, seccompProfile: { type: 'Unconfined' } },
    );
    expect(context.runAsUser).toEqual({ value: 7n });
    expect(context.runAsGroup).toEqual({ value: 6n });
    expect(context.supplementalGroups).toEqual([9n]);
    expect(context.seccomp).toEqual({ profileType: Localhost, localhostRef: '/seccomp/a.json' });
    expect(context.capabilities).toEqual({ addCapabilities: [], dropCapabilities: ['ALL'] });
  });

  test('a privileged one has nothing that is hidden', () => {
    const { seccomp, maskedPaths, readonlyPaths, privileged } = contextOf({ privileged: true });
    expect({ seccomp, maskedPaths, readonlyPaths, privileged }).toEqual({
      seccomp: { profileType: Unconfined },
      maskedPaths: [],
      readonlyPaths: [],
      privileged: true,
    });
  });

  test('a profile outside of its directory is refused', () => {
    expect(() => contextOf({ seccompProfile: { type: 'Localhost', localhostProfile: '../a' } })).toThrow('"Localhost" with "../a" is no security profile');
  });
});

test('the names of a pod', () => {
  const pod = testPod({ hostAliases: [{ ip: '192.0.2.7', hostnames: ['x', 'y'] }], subdomain: 'sub' });
  expect(hostsFile(pod, ['10.0.0.2'], 'node').split('\n').slice(-3)).toEqual(['10.0.0.2\tpod.sub.default.svc pod', '192.0.2.7\tx\ty', '']);
  expect(hostnameOf({ ...pod, name: `${'a'.repeat(62)}-b` }, 'node')).toBe('a'.repeat(62));
});
