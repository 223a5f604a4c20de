export type { ExecBackend } from './backend.ts';
export { execRoutes } from './routes.ts';
