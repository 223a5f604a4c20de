export type { ApiServer, Host } from './server/index.ts';
