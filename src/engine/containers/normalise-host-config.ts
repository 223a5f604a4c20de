import type { HostConfig } from '../../api/docker/index.ts';
import type { ContainerContext } from './context.ts';
import { runtimeNameOf } from './runtimes.ts';
import { containerMode } from './spec/index.ts';

const defaultShmBytes = 64 << 20;

/** Fills in what Docker fills in when a container is made, so that inspect tells it (moby adaptContainerSettings). */
export function normaliseHostConfig(given: HostConfig, context: Pick<ContainerContext, 'registry' | 'cgroupVersion' | 'security' | 'runtimes'>): HostConfig {
  const joined = (mode: string) => {
    const reference = containerMode.exec(mode)?.[1];
    const found = reference === undefined ? undefined : context.registry.find(reference);
    return found === undefined ? mode : `container:${found.id}`;
  };
  const network = joined(given.NetworkMode);
  return {
    ...given,
    NetworkMode: network === '' || network === 'default' ? 'bridge' : network,
    MemorySwap: given.Memory > 0 && given.MemorySwap === 0 ? given.Memory * 2 : given.MemorySwap,
    ShmSize: given.ShmSize === 0 ? defaultShmBytes : given.ShmSize,
    IpcMode: given.IpcMode === '' ? 'private' : joined(given.IpcMode),
    PidMode: joined(given.PidMode),
    CgroupnsMode: given.CgroupnsMode !== '' ? given.CgroupnsMode : context.cgroupVersion === '2' ? 'private' : 'host',
    OomKillDisable: given.OomKillDisable ?? false,
    PidsLimit: (given.PidsLimit ?? 0) <= 0 ? null : given.PidsLimit,
    MaskedPaths: given.MaskedPaths ?? (given.Privileged ? null : context.security.maskedPaths),
    ReadonlyPaths: given.ReadonlyPaths ?? (given.Privileged ? null : context.security.readonlyPaths),
    MemorySwappiness: given.MemorySwappiness === -1 ? null : given.MemorySwappiness,
    LogConfig: { ...given.LogConfig, Type: given.LogConfig.Type === '' ? 'json-file' : given.LogConfig.Type },
    RestartPolicy: { ...given.RestartPolicy, Name: given.RestartPolicy.Name === '' ? 'no' : given.RestartPolicy.Name },
    Runtime: runtimeNameOf(context.runtimes, given.Runtime),
  };
}
