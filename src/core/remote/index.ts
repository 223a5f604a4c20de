export { openRemoteEngineStores } from './engine-stores.ts';
export { openRemoteCore } from './remote-core.ts';
