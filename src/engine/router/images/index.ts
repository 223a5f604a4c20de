export type { ImagesBackend } from './backend.ts';
export { newName } from './parameters.ts';
export { decodeRegistryAuth } from './registry-auth.ts';
export { imageRoutes } from './routes.ts';
