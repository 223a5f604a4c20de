import { create, type DescMessage, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { taskEvents } from '../api/containerd/index.ts';
import type { EventBus } from '../core/index.ts';

/** `/tasks/create`, … with the fields of its message, times as dates. */
export type PublishTaskEvent = (topic: string, payload: Readonly<Record<string, unknown>>) => void;

/** These the service tells itself: it knows more of them than the manager. */
const told = new Set(['/tasks/create', '/tasks/exec-added', '/tasks/delete']);

/** For the task manager behind a service: what happens goes to `publish`, in its order. */
export function taskEventBus(publish: PublishTaskEvent): EventBus {
  return {
    publish: (topic, payload) => {
      if (!told.has(topic)) publish(topic, payload);
    },
    subscribe: () => {
      throw new Error('events of a shim go to containerd');
    },
  };
}

const messages: Readonly<Record<string, DescMessage>> = {
  '/tasks/create': taskEvents.TaskCreateSchema,
  '/tasks/start': taskEvents.TaskStartSchema,
  '/tasks/delete': taskEvents.TaskDeleteSchema,
  '/tasks/exit': taskEvents.TaskExitSchema,
  '/tasks/oom': taskEvents.TaskOOMSchema,
  '/tasks/exec-added': taskEvents.TaskExecAddedSchema,
  '/tasks/exec-started': taskEvents.TaskExecStartedSchema,
  '/tasks/paused': taskEvents.TaskPausedSchema,
  '/tasks/resumed': taskEvents.TaskResumedSchema,
};

/** The Any of an event, its type named as containerd's own are: without a host. Undefined for topics that have no message. */
export function encodeTaskEvent(
  topic: string,
  payload: Readonly<Record<string, unknown>>,
): { readonly typeUrl: string; readonly value: Uint8Array } | undefined {
  const message = messages[topic];
  if (message === undefined) return undefined;
  const fields = Object.fromEntries(Object.entries(payload).map(([name, value]) => [name, value instanceof Date ? timestampFromDate(value) : value]));
  return { typeUrl: message.typeName, value: toBinary(message, create(message, fields as MessageInitShape<DescMessage>)) };
}
