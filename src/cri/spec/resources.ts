import type { criLinux } from '../../api/cri/index.ts';
import type { DeviceRule, Int64, ResourcesSpec } from '../../oci/index.ts';

/** Kubernetes's limits as the runtime has them; what is zero is left alone. */
export function resourceSpec(resources: criLinux.LinuxContainerResources | undefined, devices: readonly DeviceRule[]): ResourcesSpec {
  return { ...(devices.length === 0 ? {} : { devices }), ...limits(resources) };
}

/** The limits alone, as an update has them. */
export function limits(resources: criLinux.LinuxContainerResources | undefined): ResourcesSpec {
  if (resources === undefined) return {};
  const { cpuShares, cpuQuota, cpuPeriod, cpusetCpus, cpusetMems, memoryLimitInBytes, memorySwapLimitInBytes, hugepageLimits, unified } = resources;
  const cpu = {
    ...given('shares', cpuShares),
    ...given('quota', cpuQuota),
    ...given('period', cpuPeriod),
    ...(cpusetCpus === '' ? {} : { cpus: cpusetCpus }),
    ...(cpusetMems === '' ? {} : { mems: cpusetMems }),
  };
  const memory = {
    ...given('limit', memoryLimitInBytes),
    // Without a word about swap there is none beyond the limit, as with containerd.
    ...given('swap', memorySwapLimitInBytes === 0n ? memoryLimitInBytes : memorySwapLimitInBytes),
  };
  return {
    ...part('cpu', cpu),
    ...part('memory', memory),
    ...(hugepageLimits.length === 0 ? {} : { hugepageLimits: hugepageLimits.map(({ pageSize, limit }) => ({ pageSize, limit: integer(limit) })) }),
    ...part('unified', unified),
  };
}

function given<K extends string>(name: K, value: bigint): { readonly [P in K]?: Int64 } {
  return (value === 0n ? {} : { [name]: integer(value) }) as { readonly [P in K]?: Int64 };
}

function integer(value: bigint): Int64 {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function part<K extends string, V extends object>(name: K, value: V): { readonly [P in K]?: V } {
  return (Object.keys(value).length === 0 ? {} : { [name]: value }) as { readonly [P in K]?: V };
}
