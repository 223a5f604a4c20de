export type { ImagesBackend } from './backend.ts';
export { newName } from './parameters.ts';
export { imageRoutes } from './routes.ts';
