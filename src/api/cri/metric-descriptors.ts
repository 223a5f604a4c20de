/** The metrics that cAdvisor gave a kubelet, under its names; order and names of the labels are those of containerd's CRI. */

const common = ['pod', 'namespace', 'container', 'id', 'image'] as const;
const byDevice = [...common, 'device'] as const;
const byInterface = [...common, 'interface'] as const;

type Description = readonly [help: string, labels?: readonly string[]];

const descriptions = {
  container_cpu_usage_seconds_total: ['Processor time used, in seconds.'],
  container_cpu_user_seconds_total: ['Processor time used by programs, in seconds.'],
  container_cpu_system_seconds_total: ['Processor time used by the kernel, in seconds.'],
  container_cpu_cfs_periods_total: ['Periods of the processor limit that have passed.'],
  container_cpu_cfs_throttled_periods_total: ['Periods in which the processor limit was reached.'],
  container_cpu_cfs_throttled_seconds_total: ['Time that was spent waiting for the next period, in seconds.'],
  container_memory_cache: ['Memory that holds contents of files, in bytes.'],
  container_memory_rss: ['Memory that is of no file, in bytes.'],
  container_memory_kernel_usage: ['Memory of the kernel for the container, in bytes.'],
  container_memory_mapped_file: ['Memory of mapped files, in bytes.'],
  container_memory_swap: ['Swap space used, in bytes.'],
  container_memory_failcnt: ['How often the memory limit was hit.'],
  container_memory_usage_bytes: ['All memory used, in bytes.'],
  container_memory_max_usage_bytes: ['The most memory that was ever used, in bytes.'],
  container_memory_working_set_bytes: ['Memory that cannot be given back without reading files again, in bytes.'],
  container_memory_total_active_file_bytes: ['Contents of files that are in use, in bytes.'],
  container_memory_total_inactive_file_bytes: ['Contents of files that are not in use, in bytes.'],
  container_memory_failures_total: ['Page faults.', [...common, 'failure_type', 'scope']],
  container_oom_events_total: ['Processes that the kernel killed for want of memory.'],
  container_pressure_cpu_waiting_seconds_total: ['Time in which some processes waited for a processor, in seconds.'],
  container_pressure_cpu_stalled_seconds_total: ['Time in which all processes waited for a processor, in seconds.'],
  container_pressure_memory_waiting_seconds_total: ['Time in which some processes waited for memory, in seconds.'],
  container_pressure_memory_stalled_seconds_total: ['Time in which all processes waited for memory, in seconds.'],
  container_pressure_io_waiting_seconds_total: ['Time in which some processes waited for a device, in seconds.'],
  container_pressure_io_stalled_seconds_total: ['Time in which all processes waited for a device, in seconds.'],
  container_fs_inodes_free: ['Inodes that are free on the file system.', byDevice],
  container_fs_inodes_total: ['Inodes of the file system.', byDevice],
  container_fs_limit_bytes: ['The size of the file system, in bytes.', byDevice],
  container_fs_usage_bytes: ['What the container has written, in bytes.', byDevice],
  container_fs_reads_bytes_total: ['Bytes read from the device.', byDevice],
  container_fs_reads_total: ['Reads from the device.', byDevice],
  container_fs_writes_bytes_total: ['Bytes written to the device.', byDevice],
  container_fs_writes_total: ['Writes to the device.', byDevice],
  container_blkio_device_usage_total: ['Bytes moved to or from the device.', [...byDevice, 'major', 'minor', 'operation']],
  container_network_receive_bytes_total: ['Bytes received.', byInterface],
  container_network_receive_packets_total: ['Packets received.', byInterface],
  container_network_receive_packets_dropped_total: ['Packets that were dropped when they came.', byInterface],
  container_network_receive_errors_total: ['Errors while receiving.', byInterface],
  container_network_transmit_bytes_total: ['Bytes sent.', byInterface],
  container_network_transmit_packets_total: ['Packets sent.', byInterface],
  container_network_transmit_packets_dropped_total: ['Packets that were dropped before they went.', byInterface],
  container_network_transmit_errors_total: ['Errors while sending.', byInterface],
  container_processes: ['Processes.'],
  container_threads: ['Threads of all processes.'],
  container_threads_max: ['How many threads there may be; 0: as many as the machine has room for.'],
  container_file_descriptors: ['Open file descriptors of all processes.'],
  container_sockets: ['Those that are sockets.'],
  container_ulimits_soft: ['Soft limits of the first process.', [...common, 'ulimit']],
  container_last_seen: ['When the container was last looked at, in seconds since the epoch.'],
  container_start_time_seconds: ['When the container was started, in seconds since the epoch.'],
  container_spec_cpu_period: ['The period of the processor limit, in microseconds.'],
  container_spec_cpu_quota: ['The processor limit: microseconds in a period.'],
  container_spec_cpu_shares: ['The weight when processors are short.'],
  container_spec_memory_limit_bytes: ['The memory limit, in bytes; 0: none.'],
  container_spec_memory_reservation_limit_bytes: ['The memory that is kept for the container, in bytes; 0: none.'],
  container_spec_memory_swap_limit_bytes: ['The limit of memory and swap together, in bytes; 0: none.'],
} as const satisfies Record<string, Description>;

export type MetricName = keyof typeof descriptions;

export interface MetricDescription {
  readonly name: string;
  readonly help: string;
  readonly labelKeys: string[];
}

export const metricDescriptors: readonly MetricDescription[] = Object.entries<Description>(descriptions).map(([name, [help, labelKeys = common]]) => ({
  name,
  help,
  labelKeys: [...labelKeys],
}));
