import { fromBinary } from '@bufbuild/protobuf';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { taskEvents, ttrpcEvents } from '../../../api/containerd/index.ts';
import { checkIdentifier, StrakeError } from '../../../base/index.ts';
import { type ServedService, servedService } from '../../../rpc/ttrpc/index.ts';
import type { ShimExit, TypedOptions } from './shim-tasks.ts';

/** Where events go: core's exchange. */
export interface EventSink {
  in(namespace: string): { publish(topic: string, payload: Readonly<Record<string, unknown>>): void };
  forward(event: ForwardedEvent): void;
}

/** As its publisher encoded it. */
export interface ForwardedEvent {
  readonly timestamp: Date;
  readonly namespace: string;
  readonly topic: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly encoded: TypedOptions;
}

interface Told {
  readonly exit?: ShimExit;
  readonly isDeleted: boolean;
}

/** Events of shims pass through here, so that what a shim told before its end is not told again after it. */
export class ShimEvents {
  private readonly sink: EventSink;
  private readonly told = new Map<string, Told>();
  /** What shims call: containerd's ttrpc service Events. */
  readonly service: ServedService;

  constructor(sink: EventSink) {
    this.sink = sink;
    this.service = servedService(ttrpcEvents.Events, {
      forward: async ({ envelope }) => {
        if (envelope?.event === undefined) throw new StrakeError('InvalidArgument', 'the envelope has no event', { fields: { layer: 'core' } });
        const { namespace, topic, event, timestamp } = envelope;
        checkIdentifier(namespace);
        this.note(namespace, topic, event);
        const encoded = { typeUrl: event.typeUrl, value: event.value };
        this.sink.forward({ timestamp: timestamp === undefined ? new Date() : timestampDate(timestamp), namespace, topic, payload: {}, encoded });
        return {};
      },
    });
  }

  /** From now on what is told of the task is kept in mind. */
  watch(namespace: string, id: string): void {
    this.told.set(keyOf(namespace, id), { isDeleted: false });
  }

  forget(namespace: string, id: string): void {
    this.told.delete(keyOf(namespace, id));
  }

  /** The exit that the shim told of the task's first process. */
  exitOf(namespace: string, id: string): ShimExit | undefined {
    return this.told.get(keyOf(namespace, id))?.exit;
  }

  /** Tells of a task whose shim has gone what the shim did not. */
  tellLost(namespace: string, id: string, { pid, code, at }: ShimExit): void {
    const { exit, isDeleted } = this.told.get(keyOf(namespace, id)) ?? { isDeleted: false };
    const bus = this.sink.in(namespace);
    if (exit === undefined) bus.publish('/tasks/exit', { containerId: id, id, pid, exitStatus: code, exitedAt: at });
    if (!isDeleted) bus.publish('/tasks/delete', { containerId: id, pid, exitStatus: code, exitedAt: at });
  }

  private note(namespace: string, topic: string, event: TypedOptions): void {
    const typeName = event.typeUrl.split('/').at(-1);
    if (topic === '/tasks/exit' && typeName === taskEvents.TaskExitSchema.typeName) {
      const { containerId, id, pid, exitStatus, exitedAt } = decode(taskEvents.TaskExitSchema, event.value);
      if (id !== containerId) return;
      this.amend(namespace, id, { exit: { pid, code: exitStatus, at: exitedAt === undefined ? new Date() : timestampDate(exitedAt) } });
    } else if (topic === '/tasks/delete' && typeName === taskEvents.TaskDeleteSchema.typeName) {
      const { containerId, id } = decode(taskEvents.TaskDeleteSchema, event.value);
      if (id === '' || id === containerId) this.amend(namespace, containerId, { isDeleted: true });
    }
  }

  private amend(namespace: string, id: string, change: Partial<Told>): void {
    const told = this.told.get(keyOf(namespace, id));
    if (told !== undefined) this.told.set(keyOf(namespace, id), { ...told, ...change });
  }
}

function decode<Schema extends typeof taskEvents.TaskExitSchema | typeof taskEvents.TaskDeleteSchema>(schema: Schema, value: Uint8Array) {
  try {
    return fromBinary(schema, value);
  } catch (error) {
    throw new StrakeError('InvalidArgument', `not a ${schema.typeName}: ${(error as Error).message}`, { cause: error, fields: { layer: 'core' } });
  }
}

function keyOf(namespace: string, id: string): string {
  return `${namespace}/${id}`;
}
