import { expect, test } from 'bun:test';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { criContainer, criLinux, criTypes } from '../../api/cri/index.ts';
import { containerBody } from './create-body.ts';

const { NamespaceMode, SecurityProfile_ProfileType: ProfileType } = criLinux;
type Config = MessageInitShape<typeof criContainer.ContainerConfigSchema>;

async function bodyOf(config: Config) {
  const user = { User: '1000:2000', GroupAdd: ['3'] };
  return await containerBody(create(criContainer.ContainerConfigSchema, config), { sandboxId: 'pod1', cgroupParent: '/kube', runtimeHandler: '', user });
}

const security = (context: MessageInitShape<typeof criLinux.LinuxContainerSecurityContextSchema>): Config => ({ linux: { securityContext: context } });

test('a container shares what its pod has', async () => {
  const { HostConfig, Labels } = await bodyOf({ metadata: { name: 'c' }, labels: { app: 'x' } });
  expect(HostConfig).toMatchObject({ NetworkMode: 'container:pod1', IpcMode: 'container:pod1', PidMode: 'container:pod1', CgroupParent: '/kube' });
  expect(HostConfig.SecurityOpt).toEqual(['seccomp=unconfined']);
  expect(Labels).toMatchObject({ app: 'x', 'io.kubernetes.docker.type': 'container', 'io.kubernetes.sandbox.id': 'pod1' });
});

test('what it runs, as whom, and with what', async () => {
  const body = await bodyOf({
    image: { image: 'busybox' },
    command: ['sh'],
    args: ['-c', 'true'],
    envs: [{ key: 'A', value: Buffer.from('b=c') }],
    workingDir: '/w',
    stopSignal: criTypes.Signal.SIGRTMAXMINUS3,
    mounts: [
      { hostPath: '/h', containerPath: '/c', readonly: true },
      { hostPath: '/h', containerPath: '/r', readonly: true, recursiveReadOnly: true },
      { hostPath: '/h', containerPath: '/b', propagation: criContainer.MountPropagation.PROPAGATION_BIDIRECTIONAL },
    ],
    devices: [{ hostPath: '/dev/null', containerPath: '/dev/x' }],
    linux: {
      resources: { cpuShares: 10n, memoryLimitInBytes: 1n << 20n, oomScoreAdj: 5n },
      securityContext: { noNewPrivs: true, maskedPaths: ['/proc/kcore'] },
    },
  });
  expect(body).toMatchObject({
    Image: 'busybox',
    Entrypoint: ['sh'],
    Cmd: ['-c', 'true'],
    Env: ['A=b=c'],
    WorkingDir: '/w',
    User: '1000:2000',
    StopSignal: 'SIGRTMAX-3',
  });
  expect(body.HostConfig).toMatchObject({
    CpuShares: 10,
    Memory: 1 << 20,
    MemorySwap: 1 << 20,
    OomScoreAdj: 5,
    GroupAdd: ['3'],
    SecurityOpt: ['no-new-privileges', 'seccomp=unconfined'],
    MaskedPaths: ['/proc/kcore'],
    ReadonlyPaths: [],
    Devices: [{ PathOnHost: '/dev/null', PathInContainer: '/dev/x', CgroupPermissions: 'rwm' }],
  });
  expect(body.HostConfig.Mounts.map(({ Target, ReadOnly, BindOptions }) => [Target, ReadOnly, BindOptions])).toEqual([
    ['/c', true, { Propagation: 'rprivate', CreateMountpoint: true, ReadOnlyNonRecursive: true }],
    ['/r', true, { Propagation: 'rprivate', CreateMountpoint: true, ReadOnlyForceRecursive: true }],
    ['/b', false, { Propagation: 'rshared', CreateMountpoint: true }],
  ]);
});

test.each([
  ['the machine’s', { network: NamespaceMode.NODE, pid: NamespaceMode.NODE, ipc: NamespaceMode.NODE }, { PidMode: 'host', IpcMode: 'host', UTSMode: 'host' }],
  ['its own processes', { pid: NamespaceMode.CONTAINER }, { PidMode: '' }],
  ['those of another', { pid: NamespaceMode.TARGET, targetId: 'c9' }, { PidMode: 'container:c9' }],
])('namespaces: %s', async (_what, namespaceOptions, expected) => {
  expect((await bodyOf(security({ namespaceOptions }))).HostConfig).toMatchObject(expected);
});

test.each([
  ['RuntimeDefault', { seccomp: { profileType: ProfileType.RuntimeDefault } }, []],
  [
    'Unconfined',
    { seccomp: { profileType: ProfileType.Unconfined }, apparmor: { profileType: ProfileType.Unconfined } },
    ['seccomp=unconfined', 'apparmor=unconfined'],
  ],
  ['privileged', { privileged: true, seccomp: { profileType: ProfileType.Localhost, localhostRef: '/absent' } }, []],
  ['SELinux', { seccomp: { profileType: ProfileType.RuntimeDefault }, selinuxOptions: { type: 't', level: 's0' } }, ['label=type:t', 'label=level:s0']],
])('confinement: %s', async (_what, context, expected) => {
  expect((await bodyOf(security(context))).HostConfig.SecurityOpt).toEqual(expected);
});

test.each([
  ['ambient capabilities', security({ capabilities: { addAmbientCapabilities: ['NET_RAW'] } }), 'ambient capabilities: not with an engine below'],
  ['an image that is to be written', { mounts: [{ containerPath: '/i', image: { image: 'x' } }] }, 'mount "/i" of an image must be read-only'],
  [
    'a profile that is not there',
    security({ seccomp: { profileType: ProfileType.Localhost, localhostRef: '/absent' } }),
    'cannot read the seccomp profile /absent',
  ],
  [
    'files of the unified hierarchy',
    { linux: { resources: { unified: { 'memory.high': '1' } } } },
    'files of the unified cgroup hierarchy: not with an engine below',
  ],
  ['mapped mounts', { mounts: [{ uidMappings: [{}] }] }, 'a mount with mapped ids: not with an engine below'],
  ['recursion without reading only', { mounts: [{ recursiveReadOnly: true }] }, 'recursive_read_only needs readonly, and private propagation'],
])('refused: %s', async (_what, config, message) => {
  await expect(bodyOf(config as Config)).rejects.toThrow(message);
});
