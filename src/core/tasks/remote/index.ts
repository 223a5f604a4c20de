export { RemoteTaskManager, type RemoteTaskManagerOptions } from './manager.ts';
