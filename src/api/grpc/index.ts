/** gRPC's own services. */
export * as health from './health/v1/health_pb.ts';
export * as reflection from './reflection/v1/reflection_pb.ts';
export * as reflectionAlpha from './reflection/v1alpha/reflection_pb.ts';
