/** Metrics of pods and containers that are told alike whoever has measured them. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { LinuxContainerResourcesSchema } from '../k8s.io/runtime/v1/linux_pb.ts';
import type { NetworkInterfaceUsageSchema } from '../k8s.io/runtime/v1/stats_pb.ts';
import type { MetricList } from './metric-list.ts';

/** cpu(7): what the kernel has where nobody said anything. */
const defaultPeriodUs = 100_000n;
const defaultShares = 1024n;

/** Of a network interface, since it was made. */
export interface InterfaceFigures {
  readonly rxBytes: number;
  readonly rxPackets: number;
  readonly rxErrors: number;
  readonly rxDropped: number;
  readonly txBytes: number;
  readonly txPackets: number;
  readonly txErrors: number;
  readonly txDropped: number;
}

export function addInterface(list: MetricList, name: string, figures: InterfaceFigures): void {
  list.add('container_network_receive_bytes_total', figures.rxBytes, name);
  list.add('container_network_receive_packets_total', figures.rxPackets, name);
  list.add('container_network_receive_packets_dropped_total', figures.rxDropped, name);
  list.add('container_network_receive_errors_total', figures.rxErrors, name);
  list.add('container_network_transmit_bytes_total', figures.txBytes, name);
  list.add('container_network_transmit_packets_total', figures.txPackets, name);
  list.add('container_network_transmit_packets_dropped_total', figures.txDropped, name);
  list.add('container_network_transmit_errors_total', figures.txErrors, name);
}

export function interfaceUsage(name: string, { rxBytes, rxErrors, txBytes, txErrors }: InterfaceFigures): MessageInitShape<typeof NetworkInterfaceUsageSchema> {
  return {
    name,
    rxBytes: { value: BigInt(rxBytes) },
    rxErrors: { value: BigInt(rxErrors) },
    txBytes: { value: BigInt(txBytes) },
    txErrors: { value: BigInt(txErrors) },
  };
}

/** What a container was given; what is not above 0 is no limit. */
export function addLimits(list: MetricList, resources: MessageInitShape<typeof LinuxContainerResourcesSchema> = {}, memoryReservationBytes = 0): void {
  const { cpuPeriod = 0n, cpuQuota = 0n, cpuShares = 0n, memoryLimitInBytes = 0n, memorySwapLimitInBytes = 0n } = resources;
  const positive = (value: bigint, otherwise = 0n) => (value > 0n ? value : otherwise);
  list.add('container_spec_cpu_period', positive(cpuPeriod, defaultPeriodUs));
  if (cpuQuota > 0n) list.add('container_spec_cpu_quota', cpuQuota);
  list.add('container_spec_cpu_shares', positive(cpuShares, defaultShares));
  list.add('container_spec_memory_limit_bytes', positive(memoryLimitInBytes));
  list.add('container_spec_memory_reservation_limit_bytes', memoryReservationBytes);
  list.add('container_spec_memory_swap_limit_bytes', positive(memorySwapLimitInBytes));
}

/** The root directory is what the container has of the file system, whose `statfs` this is. */
export function addFileSystem(
  list: MetricList,
  usedBytes: number,
  { bsize, blocks, files, ffree }: { readonly bsize: number; readonly blocks: number; readonly files: number; readonly ffree: number },
): void {
  list.add('container_fs_usage_bytes', usedBytes, '/');
  list.add('container_fs_limit_bytes', bsize * blocks, '/');
  list.add('container_fs_inodes_total', files, '/');
  list.add('container_fs_inodes_free', ffree, '/');
}

export interface ProcessFigures {
  readonly processes: number;
  readonly descriptors: number;
  readonly sockets: number;
  /** Of open files, for each process; undefined when nobody knows. */
  readonly openFilesLimit: bigint | undefined;
}

export function addProcesses(list: MetricList, { processes, descriptors, sockets, openFilesLimit }: ProcessFigures): void {
  list.add('container_processes', processes);
  list.add('container_file_descriptors', descriptors);
  list.add('container_sockets', sockets);
  list.add('container_ulimits_soft', openFilesLimit, 'max_open_files');
}
