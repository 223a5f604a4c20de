export type { EndpointRequest, NetworksBackend, NewNetwork } from './backend.ts';
export { networkRoutes } from './routes.ts';
