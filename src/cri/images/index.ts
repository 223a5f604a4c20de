export type { CriImage } from './image.ts';
export type { ImageServiceOptions } from './image-service.ts';
export { imageService } from './image-service.ts';
export { Images } from './images.ts';
export { SnapshotUsages } from './usage.ts';
