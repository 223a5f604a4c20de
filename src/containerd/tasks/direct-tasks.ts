import type { tasks } from '../../api/containerd/index.ts';
import type { ServiceClient, ServiceImplementation } from '../../rpc/ttrpc/index.ts';
import { directCalls } from './direct-calls.ts';
import { type TasksServiceOptions, tasksService } from './tasks-service.ts';

type Tasks = typeof tasks.Tasks;

/** containerd's Tasks of one namespace, called in this process: for who makes tasks there as containerd's clients do. */
export function connectTasks(options: TasksServiceOptions, namespace: string): { client(service: Tasks): ServiceClient<Tasks> } {
  const implementation = tasksService(options).implementation as ServiceImplementation<Tasks>;
  return { client: (service) => directCalls(service, implementation, { 'containerd-namespace': namespace }) };
}
