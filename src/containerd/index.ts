export { Activations } from './mounts/activations.ts';
export { InProcessSandboxes } from './sandbox/in-process.ts';
export { SandboxHosts } from './sandbox/sandbox-hosts.ts';
export type { ContainerdOptions } from './services.ts';
export { containerdServices } from './services.ts';
export { connectTasks } from './tasks/direct-tasks.ts';
export { InProcessTasks } from './tasks/in-process.ts';
export { TaskHosts } from './tasks/task-hosts.ts';
