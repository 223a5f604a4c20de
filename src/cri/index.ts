export type { CriImage, ImageServiceOptions } from './images/index.ts';
export { Images, imageService, SnapshotUsages } from './images/index.ts';
export type { Measured, MeasuredContainer, MeasuredPod, MeterOptions } from './stats/index.ts';
export { statsCalls } from './stats/index.ts';
