export type { NewVolume, VolumesOptions } from './volumes.ts';
export { anonymousLabel, Volumes } from './volumes.ts';
