import type { DeviceMapping, Resources, ThrottleDeviceConfig, Ulimit, WeightDevice } from '../../../api/docker/index.ts';
import { asObject, type JsonObject, optionalBoolean, optionalInteger, optionalString, optionalStrings } from '../../server/index.ts';
import { list } from './parse-list.ts';

const integers = [
  'CpuShares',
  'Memory',
  'NanoCpus',
  'BlkioWeight',
  'CpuPeriod',
  'CpuQuota',
  'CpuRealtimePeriod',
  'CpuRealtimeRuntime',
  'MemoryReservation',
  'MemorySwap',
] as const;

/** Every limit; absent ones as Go's zero value. */
export function parseResources(body: JsonObject): Resources {
  const integer = (name: string) => optionalInteger(body, name) ?? 0;
  const text = (name: string) => optionalString(body, name) ?? '';
  return {
    CpuShares: integer('CpuShares'),
    Memory: integer('Memory'),
    NanoCpus: integer('NanoCpus'),
    CgroupParent: text('CgroupParent'),
    BlkioWeight: integer('BlkioWeight'),
    BlkioWeightDevice: list(body, 'BlkioWeightDevice', parseWeight),
    BlkioDeviceReadBps: list(body, 'BlkioDeviceReadBps', parseRate),
    BlkioDeviceWriteBps: list(body, 'BlkioDeviceWriteBps', parseRate),
    BlkioDeviceReadIOps: list(body, 'BlkioDeviceReadIOps', parseRate),
    BlkioDeviceWriteIOps: list(body, 'BlkioDeviceWriteIOps', parseRate),
    CpuPeriod: integer('CpuPeriod'),
    CpuQuota: integer('CpuQuota'),
    CpuRealtimePeriod: integer('CpuRealtimePeriod'),
    CpuRealtimeRuntime: integer('CpuRealtimeRuntime'),
    CpusetCpus: text('CpusetCpus'),
    CpusetMems: text('CpusetMems'),
    Devices: list(body, 'Devices', parseDevice),
    DeviceCgroupRules: optionalStrings(body, 'DeviceCgroupRules') ?? null,
    DeviceRequests: list(body, 'DeviceRequests', (item) => item).length === 0 ? null : list(body, 'DeviceRequests', (item) => item),
    MemoryReservation: integer('MemoryReservation'),
    MemorySwap: integer('MemorySwap'),
    MemorySwappiness: optionalInteger(body, 'MemorySwappiness') ?? null,
    OomKillDisable: optionalBoolean(body, 'OomKillDisable') ?? null,
    PidsLimit: optionalInteger(body, 'PidsLimit') ?? null,
    Ulimits: list(body, 'Ulimits', parseUlimit),
    CpuCount: 0,
    CpuPercent: 0,
    IOMaximumIOps: 0,
    IOMaximumBandwidth: 0,
  };
}

/** The limits that an update changes: those that are there and not zero. */
export function parseChangedLimits(body: JsonObject): Partial<Resources> {
  const changed: Record<string, unknown> = {};
  for (const name of integers) {
    const value = optionalInteger(body, name) ?? 0;
    if (value !== 0) changed[name] = value;
  }
  for (const name of ['CpusetCpus', 'CpusetMems']) {
    const value = optionalString(body, name) ?? '';
    if (value !== '') changed[name] = value;
  }
  const pids = optionalInteger(body, 'PidsLimit');
  if (pids !== undefined) changed['PidsLimit'] = pids;
  return changed;
}

function parseWeight(item: unknown): WeightDevice {
  const object = asObject(item, 'BlkioWeightDevice');
  return { Path: optionalString(object, 'Path') ?? '', Weight: optionalInteger(object, 'Weight') ?? 0 };
}

function parseRate(item: unknown): ThrottleDeviceConfig {
  const object = asObject(item, 'BlkioDevice');
  return { Path: optionalString(object, 'Path') ?? '', Rate: optionalInteger(object, 'Rate') ?? 0 };
}

function parseDevice(item: unknown): DeviceMapping {
  const object = asObject(item, 'Devices');
  const text = (name: string) => optionalString(object, name) ?? '';
  return { PathOnHost: text('PathOnHost'), PathInContainer: text('PathInContainer'), CgroupPermissions: text('CgroupPermissions') };
}

function parseUlimit(item: unknown): Ulimit {
  const object = asObject(item, 'Ulimits');
  const Hard = optionalInteger(object, 'Hard') ?? 0;
  return { Name: optionalString(object, 'Name') ?? '', Hard, Soft: optionalInteger(object, 'Soft') ?? 0 };
}
