export type { Credentials, SystemBackend } from './backend.ts';
export { systemRoutes } from './routes.ts';
