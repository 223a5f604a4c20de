/** The container runtime interface (runtime.v1), a namespace for each file of proto/k8s.io/runtime/v1. */
export * as criContainer from '../k8s.io/runtime/v1/container_pb.ts';
export * as criImages from '../k8s.io/runtime/v1/images_pb.ts';
export * as criLinux from '../k8s.io/runtime/v1/linux_pb.ts';
export * as criMetrics from '../k8s.io/runtime/v1/metrics_pb.ts';
export * as criPod from '../k8s.io/runtime/v1/pod_pb.ts';
export * as criRuntime from '../k8s.io/runtime/v1/runtime_pb.ts';
export * as criStats from '../k8s.io/runtime/v1/stats_pb.ts';
export * as criTypes from '../k8s.io/runtime/v1/types_pb.ts';
export type { InterfaceFigures } from './common-metrics.ts';
export { addFileSystem, addInterface, addLimits, addProcesses, interfaceUsage } from './common-metrics.ts';
export type { MetricName } from './metric-descriptors.ts';
export { metricDescriptors } from './metric-descriptors.ts';
export { MetricList } from './metric-list.ts';
