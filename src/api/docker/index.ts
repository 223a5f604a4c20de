export type {
  BlkioEntry,
  ContainerChange,
  ContainerConfig,
  ContainerCreateResponse,
  ContainerInspect,
  ContainerPathStat,
  ContainerState,
  ContainerStats,
  ContainerStatusName,
  ContainerSummary,
  ContainersPruneResponse,
  ContainerTopResponse,
  ContainerWaitResponse,
  CpuStats,
  DeviceMapping,
  ExecCreateRequest,
  ExecInspect,
  HostConfig,
  InterfaceStats,
  MountConfig,
  MountPoint,
  NetworkSettings,
  PortBinding,
  PortSummary,
  Resources,
  RestartPolicy,
  StringMap,
  ThrottleDeviceConfig,
  Ulimit,
  WeightDevice,
} from './containers.ts';
export type { EventMessage, EventType } from './events.ts';
export type { ImageConfigJson, ImageDeleteItem, ImageHistoryItem, ImageInspect, ImageSummary, ImagesPruneResponse, ProgressMessage } from './images.ts';
export type { EndpointResource, EndpointSettings, IpamConfig, NetworkInspect } from './networks.ts';
export type { ComponentVersion, InfoResponse, VersionResponse } from './system.ts';
export type { Volume, VolumeListResponse, VolumesPruneResponse } from './volumes.ts';
