export type { ContainerCounts, SystemOptions } from './system.ts';
export { System } from './system.ts';
