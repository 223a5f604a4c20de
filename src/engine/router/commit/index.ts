export type { CommitBackend } from './backend.ts';
export { commitRoutes } from './routes.ts';
