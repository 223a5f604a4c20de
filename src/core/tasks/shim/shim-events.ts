import { type DescMessage, fromBinary, type MessageShape } from '@bufbuild/protobuf';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { taskEvents, ttrpcEvents } from '../../../api/containerd/index.ts';
import { checkIdentifier, StrakeError } from '../../../base/index.ts';
import { type ServedService, servedService } from '../../../rpc/ttrpc/index.ts';
import { decodeEvent } from '../../wire/index.ts';
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

/** What has been told of a task. */
interface Told {
  /** Its first process, once its creation was told. */
  pid?: number;
  exit?: ShimExit;
  /** Pids of the execs that have been started and have not ended, by their ids. */
  readonly execs: Map<string, number>;
  /** Whose end was told here. */
  readonly lostExecs: Set<string>;
  isDeleted: boolean;
  /** Resolves when it is told that the task was deleted. */
  readonly deletion: PromiseWithResolvers<void>;
}

/** Of a process that nobody saw end: it went with its container, or its shim. */
const killedStatus = 137;
/** A shim's last word may come after its answer. */
const lateMs = 1_000;

/** Events of shims pass through here, so that each end of a task is told once, whether its shim lived to tell it or not. */
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
        if (this.wasTold(namespace, topic, event)) return {};
        const encoded = { typeUrl: event.typeUrl, value: event.value };
        this.sink.forward({
          timestamp: timestamp === undefined ? new Date() : timestampDate(timestamp),
          namespace,
          topic,
          payload: decodeEvent(event),
          encoded,
        });
        return {};
      },
    });
  }

  /** From now on what is told of the task is kept in mind. `exit`: how it ended before. */
  watch(namespace: string, id: string, exit?: ShimExit): void {
    this.told.set(keyOf(namespace, id), {
      execs: new Map(),
      lostExecs: new Set(),
      isDeleted: false,
      deletion: Promise.withResolvers<void>(),
      ...(exit === undefined ? {} : { exit }),
    });
  }

  /** Not at once: what its shim has on the way is still of this task. */
  forget(namespace: string, id: string): void {
    const key = keyOf(namespace, id);
    const told = this.told.get(key);
    setTimeout(() => {
      if (this.told.get(key) === told) this.told.delete(key);
    }, lateMs).unref();
  }

  /** The exit that the shim told of the task's first process. */
  exitOf(namespace: string, id: string): ShimExit | undefined {
    return this.told.get(keyOf(namespace, id))?.exit;
  }

  /** A shim that has deleted a task tells so; where it did not within its time, it is told here. */
  async settleDeleted(namespace: string, id: string, exit: ShimExit): Promise<void> {
    const told = this.told.get(keyOf(namespace, id));
    if (told === undefined) return;
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, lateMs);
    await Promise.race([told.deletion.promise, late.promise]);
    clearTimeout(timer);
    if (!told.isDeleted) this.tellEnd(namespace, id, exit);
  }

  /** Tells of a task that has ended and is deleted, and of its execs, what its shim did not. */
  tellEnd(namespace: string, id: string, { pid, code, at }: ShimExit): void {
    const told = this.told.get(keyOf(namespace, id));
    if (told === undefined) return;
    const bus = this.sink.in(namespace);
    for (const [execId, execPid] of told.execs) {
      bus.publish('/tasks/exit', { containerId: id, id: execId, pid: execPid, exitStatus: killedStatus, exitedAt: at });
      told.lostExecs.add(execId);
    }
    told.execs.clear();
    if (told.exit === undefined) bus.publish('/tasks/exit', { containerId: id, id, pid, exitStatus: code, exitedAt: at });
    told.exit ??= { pid, code, at };
    if (!told.isDeleted) bus.publish('/tasks/delete', { containerId: id, pid, exitStatus: code, exitedAt: at });
    told.isDeleted = true;
  }

  /** A shim that told of a creation may be gone before it answers: then nobody has the task, and its end is told. */
  tellUnmade(namespace: string, id: string): void {
    const pid = this.told.get(keyOf(namespace, id))?.pid;
    if (pid !== undefined) this.tellEnd(namespace, id, { pid, code: killedStatus, at: new Date() });
  }

  /** Keeps in mind what a shim tells; true when it was told already. */
  private wasTold(namespace: string, topic: string, event: TypedOptions): boolean {
    const typeName = event.typeUrl.split('/').at(-1);
    if (topic === '/tasks/create' && typeName === taskEvents.TaskCreateSchema.typeName) {
      const { containerId, pid } = decode(taskEvents.TaskCreateSchema, event.value);
      const told = this.told.get(keyOf(namespace, containerId));
      if (told !== undefined) told.pid = pid;
    } else if (topic === '/tasks/exit' && typeName === taskEvents.TaskExitSchema.typeName) {
      const { containerId, id, pid, exitStatus, exitedAt } = decode(taskEvents.TaskExitSchema, event.value);
      const told = this.told.get(keyOf(namespace, containerId));
      if (told === undefined) return false;
      if (id !== containerId) {
        told.execs.delete(id);
        return told.lostExecs.has(id);
      }
      if (told.exit !== undefined) return true;
      told.exit = { pid, code: exitStatus, at: exitedAt === undefined ? new Date() : timestampDate(exitedAt) };
    } else if (topic === '/tasks/exec-started' && typeName === taskEvents.TaskExecStartedSchema.typeName) {
      const { containerId, execId, pid } = decode(taskEvents.TaskExecStartedSchema, event.value);
      const told = this.told.get(keyOf(namespace, containerId));
      told?.execs.set(execId, pid);
      told?.lostExecs.delete(execId);
    } else if (topic === '/tasks/delete' && typeName === taskEvents.TaskDeleteSchema.typeName) {
      const { containerId, id } = decode(taskEvents.TaskDeleteSchema, event.value);
      const told = this.told.get(keyOf(namespace, containerId));
      if ((id !== '' && id !== containerId) || told === undefined) return false;
      if (told.isDeleted) return true;
      told.isDeleted = true;
      told.deletion.resolve();
    }
    return false;
  }
}

function decode<Schema extends DescMessage>(schema: Schema, value: Uint8Array): MessageShape<Schema> {
  try {
    return fromBinary(schema, value);
  } catch (error) {
    throw new StrakeError('InvalidArgument', `not a ${schema.typeName}: ${(error as Error).message}`, { cause: error, fields: { layer: 'core' } });
  }
}

function keyOf(namespace: string, id: string): string {
  return `${namespace}/${id}`;
}
