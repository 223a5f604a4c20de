export { openRemoteCore } from './remote-core.ts';
