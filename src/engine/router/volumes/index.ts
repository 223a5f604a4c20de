export type { VolumesBackend } from './backend.ts';
export { volumeRoutes } from './routes.ts';
