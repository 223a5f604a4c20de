export type { ImageMountsBackend } from './routes.ts';
export { imageMountRoutes } from './routes.ts';
