import { statSync } from 'node:fs';
import type { Resources, ThrottleDeviceConfig } from '../../../api/docker/index.ts';
import { StrakeError } from '../../../base/index.ts';
import { deviceNumbers } from '../../../core/index.ts';
import type { DeviceRule, ResourcesSpec, ThrottleDevice } from '../../../oci/index.ts';

/** CFS period when `--cpus` is given (µs). */
const defaultPeriodUs = 100_000;

type Limits = Partial<Resources>;

/** Docker's limits as the runtime has them; what is zero is left alone. */
export function resourceSpec(limits: Limits, devices: readonly DeviceRule[]): ResourcesSpec {
  return {
    ...(devices.length === 0 ? {} : { devices }),
    ...part('memory', memory(limits)),
    ...part('cpu', cpu(limits)),
    ...(limits.PidsLimit === null || limits.PidsLimit === undefined || limits.PidsLimit === 0
      ? {}
      : { pids: { limit: limits.PidsLimit < 0 ? -1 : limits.PidsLimit } }),
    ...part('blockIO', blockIo(limits)),
  };
}

function memory(limits: Limits) {
  return {
    ...positive('limit', limits.Memory),
    ...positive('reservation', limits.MemoryReservation),
    ...(limits.MemorySwap === undefined || limits.MemorySwap === 0 ? {} : { swap: limits.MemorySwap }),
    ...(limits.MemorySwappiness === null || limits.MemorySwappiness === undefined || limits.MemorySwappiness < 0
      ? {}
      : { swappiness: limits.MemorySwappiness }),
    ...(limits.OomKillDisable === true ? { disableOOMKiller: true } : {}),
  };
}

function cpu(limits: Limits) {
  const nano = limits.NanoCpus ?? 0;
  return {
    ...positive('shares', limits.CpuShares),
    ...(nano > 0
      ? { period: defaultPeriodUs, quota: Math.floor((nano * defaultPeriodUs) / 1e9) }
      : { ...positive('period', limits.CpuPeriod), ...(limits.CpuQuota === undefined || limits.CpuQuota === 0 ? {} : { quota: limits.CpuQuota }) }),
    ...positive('realtimePeriod', limits.CpuRealtimePeriod),
    ...positive('realtimeRuntime', limits.CpuRealtimeRuntime),
    ...(limits.CpusetCpus ? { cpus: limits.CpusetCpus } : {}),
    ...(limits.CpusetMems ? { mems: limits.CpusetMems } : {}),
  };
}

function blockIo(limits: Limits) {
  const throttle = (name: string, devices: readonly ThrottleDeviceConfig[] | undefined) => (devices?.length ? { [name]: devices.map(throttleDevice) } : {});
  return {
    ...positive('weight', limits.BlkioWeight),
    ...(limits.BlkioWeightDevice?.length
      ? { weightDevice: limits.BlkioWeightDevice.map(({ Path, Weight }) => ({ ...blockDevice(Path), weight: Weight })) }
      : {}),
    ...throttle('throttleReadBpsDevice', limits.BlkioDeviceReadBps),
    ...throttle('throttleWriteBpsDevice', limits.BlkioDeviceWriteBps),
    ...throttle('throttleReadIOPSDevice', limits.BlkioDeviceReadIOps),
    ...throttle('throttleWriteIOPSDevice', limits.BlkioDeviceWriteIOps),
  };
}

function throttleDevice({ Path, Rate }: ThrottleDeviceConfig): ThrottleDevice {
  return { ...blockDevice(Path), rate: Rate };
}

function blockDevice(path: string): { readonly major: number; readonly minor: number } {
  try {
    return deviceNumbers(statSync(path).rdev);
  } catch (cause) {
    throw new StrakeError('InvalidArgument', `invalid block device ${JSON.stringify(path)}: no such device`, { cause });
  }
}

function positive<K extends string>(name: K, value: number | undefined): { readonly [P in K]?: number } {
  return (value !== undefined && value > 0 ? { [name]: value } : {}) as { readonly [P in K]?: number };
}

function part<K extends string, V extends object>(name: K, value: V): { readonly [P in K]?: V } {
  return (Object.keys(value).length === 0 ? {} : { [name]: value }) as { readonly [P in K]?: V };
}
