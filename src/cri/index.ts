export type { CriImage, ImageServiceOptions } from './images/index.ts';
export { Images, imageService, SnapshotUsages } from './images/index.ts';
