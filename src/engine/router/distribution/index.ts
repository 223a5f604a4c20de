export type { DistributionBackend } from './backend.ts';
export { distributionRoutes } from './routes.ts';
