export type { ImagesBackend } from './backend.ts';
export { imageRoutes } from './routes.ts';
