export type { NewVolume, VolumesOptions } from './volumes.ts';
export { Volumes } from './volumes.ts';
