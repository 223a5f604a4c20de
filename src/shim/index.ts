export { type ShimProduct, shimMain } from './command-line/main.ts';
export { runtimeInfo } from './runtime-info.ts';
export { standardRuntime } from './runtime-options.ts';
export { createSandboxService } from './sandbox/sandbox-service.ts';
export { type PublishTaskEvent, taskEventBus } from './task-events.ts';
export { createTaskService, type TaskNote, type TaskService, type TaskServiceOptions } from './task-service.ts';
