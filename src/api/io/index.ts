/** What shims answer to Stats. */
export * as cgroupsV1 from './containerd/cgroups/v1/metrics_pb.ts';
export * as cgroupsV2 from './containerd/cgroups/v2/metrics_pb.ts';
