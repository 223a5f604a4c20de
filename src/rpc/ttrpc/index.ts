export { type CallContext, type CallOptions, type ServedService, type ServiceClient, type ServiceImplementation, servedService } from '../service.ts';
export { type ConnectOptions, createTtrpcClient, TtrpcConnection } from './client.ts';
export { maxMessageBytes } from './frames.ts';
export { TtrpcServer, type TtrpcServerOptions } from './server.ts';
