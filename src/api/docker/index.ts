export type { EventMessage, EventType } from './events.ts';
export type { ImageConfigJson, ImageDeleteItem, ImageHistoryItem, ImageInspect, ImageSummary, ImagesPruneResponse, ProgressMessage } from './images.ts';
export type { EndpointResource, EndpointSettings, IpamConfig, NetworkInspect } from './networks.ts';
export type { ComponentVersion, InfoResponse, VersionResponse } from './system.ts';
export type { Volume, VolumeListResponse, VolumesPruneResponse } from './volumes.ts';
