export type { VersionsBackend } from './routes.ts';
export { versionRoutes } from './routes.ts';
