import os from 'node:os';
import type { HostConfig, Resources } from '../../api/docker/index.ts';
import { StrakeError } from '../../base/index.ts';
import { normaliseCapabilities } from '../../core/index.ts';
import { checkUlimit, parseSecurityOptions } from './spec/index.ts';

const minMemoryBytes = 6 << 20;

/** Texts are moby's (daemon/daemon_unix.go, daemon/container.go). Throws InvalidArgument. */
export function checkHostConfig(hostConfig: HostConfig): void {
  checkResources(hostConfig, false);
  checkRestartPolicy(hostConfig.RestartPolicy);
  checkLogConfig(hostConfig.LogConfig);
  normaliseCapabilities('CapAdd', hostConfig.CapAdd ?? []);
  normaliseCapabilities('CapDrop', hostConfig.CapDrop ?? []);
  parseSecurityOptions(hostConfig.SecurityOpt ?? []);
  for (const limit of hostConfig.Ulimits) checkUlimit(limit);
  if (hostConfig.AutoRemove && !['', 'no'].includes(hostConfig.RestartPolicy.Name)) throw invalid("can't create 'AutoRemove' container with restart policy");
  if (hostConfig.ShmSize < 0) throw invalid('SHM size can not be less than 0');
  if (hostConfig.OomScoreAdj < -1000 || hostConfig.OomScoreAdj > 1000)
    throw invalid(`Invalid value ${hostConfig.OomScoreAdj}, range for oom score adj is [-1000, 1000]`);
  for (const entry of hostConfig.ExtraHosts ?? []) checkExtraHost(entry);
  checkModes(hostConfig);
  if ((hostConfig.VolumesFrom ?? []).length > 0) throw unsupported('VolumesFrom');
  if ((hostConfig.Links ?? []).length > 0) throw unsupported('Links');
  if ((hostConfig.DeviceRequests ?? []).length > 0) throw unsupported('DeviceRequests');
  if (Object.keys(hostConfig.StorageOpt ?? {}).length > 0) throw unsupported('StorageOpt');
}

/** `update`: of a container that is there, so that memory alone may be missing. */
export function checkResources(limits: Partial<Resources>, update: boolean): void {
  const { Memory: memory = 0, MemorySwap: swap = 0, MemoryReservation: reservation = 0, NanoCpus: nano = 0 } = limits;
  if (memory !== 0 && memory < minMemoryBytes) throw invalid('Minimum memory limit allowed is 6MB');
  if (memory > 0 && swap > 0 && swap < memory) throw invalid('Minimum memoryswap limit should be larger than memory limit, see usage');
  if (memory === 0 && swap > 0 && !update) throw invalid('You should always set the Memory limit when using Memoryswap limit, see usage');
  const swappiness = limits.MemorySwappiness;
  if (swappiness !== null && swappiness !== undefined && (swappiness < -1 || swappiness > 100))
    throw invalid(`Invalid value: ${swappiness}, valid memory swappiness range is 0-100`);
  if (reservation > 0 && reservation < minMemoryBytes) throw invalid('Minimum memory reservation allowed is 6MB');
  if (memory > 0 && reservation > 0 && memory < reservation) throw invalid('Minimum memory limit can not be less than memory reservation limit, see usage');
  if (nano > 0 && (limits.CpuPeriod ?? 0) > 0) throw invalid('Conflicting options: Nano CPUs and CPU Period cannot both be set.');
  if (nano > 0 && (limits.CpuQuota ?? 0) > 0) throw invalid('Conflicting options: Nano CPUs and CPU Quota cannot both be set.');
  const cpus = os.cpus().length;
  if (nano < 0 || nano > cpus * 1e9) throw invalid(`range of CPUs is from 0.01 to ${cpus}.00, as there are only ${cpus} CPUs available`);
  if ((limits.CpuShares ?? 0) < 0) throw invalid('shares: invalid argument');
  const period = limits.CpuPeriod ?? 0;
  if (period !== 0 && (period < 1000 || period > 1_000_000))
    throw invalid('CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)');
  if ((limits.CpuQuota ?? 0) > 0 && (limits.CpuQuota ?? 0) < 1000) throw invalid('CPU cfs quota can not be less than 1ms (i.e. 1000)');
  checkCpuset('CPUs', limits.CpusetCpus ?? '', '0'.concat(cpus > 1 ? `-${cpus - 1}` : ''), cpus);
  checkCpuset('memory nodes', limits.CpusetMems ?? '', '0', Number.POSITIVE_INFINITY);
  const weight = limits.BlkioWeight ?? 0;
  if (weight > 0 && (weight < 10 || weight > 1000)) throw invalid('Range of blkio weight is from 10 to 1000');
}

function checkCpuset(what: string, list: string, available: string, count: number): void {
  if (list === '') return;
  const numbers = list.split(',').flatMap((part) => {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part.trim());
    if (match === null) throw invalid(`Invalid value ${list} for cpuset ${what === 'CPUs' ? 'cpus' : 'mems'}`);
    return [Number(match[1]), Number(match[2] ?? match[1])];
  });
  if (numbers.some((number) => number >= count)) throw invalid(`Requested ${what} are not available - requested ${list}, available: ${available}`);
}

export function checkRestartPolicy({ Name: name, MaximumRetryCount: count }: HostConfig['RestartPolicy']): void {
  if (!['', 'no', 'always', 'unless-stopped', 'on-failure'].includes(name))
    throw invalid(`invalid restart policy: unknown policy '${name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`);
  if (name !== 'on-failure' && count !== 0)
    throw invalid(`invalid restart policy: maximum retry count can only be used with 'on-failure'${count < 0 ? ' and cannot be negative' : ''}`);
  if (count < 0) throw invalid('invalid restart policy: maximum retry count cannot be negative');
}

function checkLogConfig({ Type: type, Config: config }: HostConfig['LogConfig']): void {
  if (!['', 'json-file', 'none'].includes(type)) throw invalid(`logger: no log driver named '${type}' is registered`);
  for (const key of Object.keys(config))
    if (!['max-size', 'max-file', 'mode', 'max-buffer-size', 'labels', 'labels-regex', 'env', 'env-regex', 'tag', 'compress'].includes(key))
      throw invalid(`unknown log opt '${key}' for json-file log driver`);
  if (config['compress'] !== undefined && config['compress'] !== 'false') throw invalid("log opt 'compress' is not supported");
}

function checkExtraHost(entry: string): void {
  const at = entry.indexOf(':');
  const address = entry.slice(at + 1);
  if (at <= 0) throw invalid(`bad format for add-host: ${JSON.stringify(entry)}`);
  if (!/^[0-9a-fA-F.:[\]]+$/.test(address) && address !== 'host-gateway') throw invalid(`invalid IP address in add-host: ${JSON.stringify(address)}`);
  if (/\s/.test(entry)) throw invalid(`bad format for add-host: ${JSON.stringify(entry)}`);
}

function checkModes(hostConfig: HostConfig): void {
  const container = /^container:.+$/s;
  if (!['', 'private', 'host', 'none', 'shareable'].includes(hostConfig.IpcMode) && !container.test(hostConfig.IpcMode))
    throw invalid(`invalid IPC mode: ${hostConfig.IpcMode}`);
  if (!['', 'host'].includes(hostConfig.PidMode) && !container.test(hostConfig.PidMode)) throw invalid(`invalid PID mode: ${hostConfig.PidMode}`);
  if (!['', 'host'].includes(hostConfig.UTSMode)) throw invalid(`invalid UTS mode: ${hostConfig.UTSMode}`);
  if (!['', 'host'].includes(hostConfig.UsernsMode)) throw invalid(`invalid user namespace mode: ${hostConfig.UsernsMode}`);
  if (!['', 'host', 'private'].includes(hostConfig.CgroupnsMode)) throw invalid(`invalid cgroup namespace mode: ${hostConfig.CgroupnsMode}`);
  if (!['', 'default'].includes(hostConfig.Isolation)) throw invalid(`invalid isolation '${hostConfig.Isolation}' on linux`);
}

function unsupported(field: string): StrakeError {
  return new StrakeError('Unimplemented', `HostConfig.${field} is not supported`, { fields: { layer: 'engine' } });
}

function invalid(text: string): StrakeError {
  return new StrakeError('InvalidArgument', text, { fields: { layer: 'engine' } });
}
