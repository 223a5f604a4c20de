export { readEngineId } from './engine-id.ts';
export type { ContainerCounts, SystemOptions } from './system.ts';
export { System } from './system.ts';
