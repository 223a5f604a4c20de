export type { Host } from './bind-host.ts';
export { bindHost } from './bind-host.ts';
