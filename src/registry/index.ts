export type { RunningServer, ServerOptions } from './http/server.ts';
export { startServer } from './http/server.ts';
export type { HandleRequest, RegistryOptions } from './registry.ts';
export { createRegistry } from './registry.ts';
export { registrySchema } from './store/schema.ts';
export type { Storage, StorageOptions } from './store/storage.ts';
export { createStorage } from './store/storage.ts';
