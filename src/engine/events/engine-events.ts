/** The Engine's events: Docker's messages, carried by the core event bus under `/engine/TYPE/ACTION`. */
import type { EventMessage, EventType } from '../../api/docker/index.ts';
import type { EventBus } from '../../core/index.ts';
import { type EventFilter, matchesFilter } from './filter.ts';

/** How many past events `since` can look back on (moby daemon/events: eventsLimit). */
const historyLimit = 256;
const topicPrefix = '/engine/';

export interface NewEvent {
  readonly type: EventType;
  /** Docker's name: `create`, `start`, `die`, `exec_create: CMD`, … */
  readonly action: string;
  readonly id: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** Times in milliseconds since the epoch. */
export interface EventWindow {
  readonly sinceMs?: number;
  readonly untilMs?: number;
  readonly filter: EventFilter;
  readonly signal: AbortSignal;
}

export interface EngineEvents {
  publish(event: NewEvent): void;
  /** Past events from `since` on, then live ones until `until`; live ones only without either. Ends when the signal aborts. */
  subscribe(window: EventWindow): AsyncIterable<EventMessage>;
  readonly listeners: number;
}

export function createEngineEvents(bus: EventBus, nowNs: () => bigint = systemClockNs): EngineEvents {
  const history: EventMessage[] = [];
  let listeners = 0;
  return {
    publish(event) {
      const message = createMessage(event, nowNs());
      history.push(message);
      if (history.length > historyLimit) history.shift();
      bus.publish(`${topicPrefix}${event.type}/${event.action.split(':')[0]}`, message as unknown as Readonly<Record<string, unknown>>);
    },
    async *subscribe(window) {
      const nowMs = Number(nowNs() / 1_000_000n);
      const past = window.sinceMs === undefined && window.untilMs === undefined ? [] : [...history];
      const ended = AbortSignal.any([window.signal, ...(window.untilMs === undefined ? [] : [timeoutSignal(window.untilMs - nowMs)])]);
      const live = bus.subscribe({ signal: ended })[Symbol.asyncIterator]();
      listeners++;
      try {
        // Asked for before the past is told, so that nothing between the two is missed.
        let next = window.untilMs !== undefined && window.untilMs <= nowMs ? undefined : live.next();
        next?.catch(() => {});
        for (const message of past) if (inWindow(message, window) && matchesFilter(message, window.filter)) yield message;
        while (next !== undefined) {
          const result = await endedOrNext(next, ended);
          if (result === undefined || result.done === true) return;
          next = live.next();
          next.catch(() => {});
          if (!result.value.topic.startsWith(topicPrefix)) continue;
          const message = result.value.payload as unknown as EventMessage;
          if (matchesFilter(message, window.filter)) yield message;
        }
      } finally {
        listeners--;
        void Promise.resolve(live.return?.()).catch(() => {});
      }
    },
    get listeners() {
      return listeners;
    },
  };
}

/** The wall clock: performance counts on from the process's start in fractions of a millisecond. */
function systemClockNs(): bigint {
  return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e6));
}

function createMessage({ type, action, id, attributes = {} }: NewEvent, timeNs: bigint): EventMessage {
  const legacy = type === 'container' ? { status: action, id, from: attributes['image'] ?? '' } : type === 'image' ? { status: action, id } : {};
  return {
    ...legacy,
    Type: type,
    Action: action,
    Actor: { ID: id, Attributes: attributes },
    scope: 'local',
    time: Number(timeNs / 1_000_000_000n),
    timeNano: Number(timeNs),
  };
}

function inWindow(message: EventMessage, { sinceMs, untilMs }: EventWindow): boolean {
  const timeMs = message.timeNano / 1e6;
  return (sinceMs === undefined || timeMs >= sinceMs) && (untilMs === undefined || timeMs <= untilMs);
}

function timeoutSignal(delayMs: number): AbortSignal {
  // 2^31-1 ms is the longest timer there is; nobody waits for 24 days on one connection.
  return AbortSignal.timeout(Math.min(Math.max(0, Math.ceil(delayMs)), 2 ** 31 - 1));
}

/** The next event, or undefined when the subscription's time is over; a bus that throws because of the abort is the same. */
async function endedOrNext<T>(next: Promise<T>, ended: AbortSignal): Promise<T | undefined> {
  if (ended.aborted) return undefined;
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const stop = () => resolve(undefined);
  ended.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([next, promise]);
  } catch (error) {
    if (ended.aborted) return undefined;
    throw error;
  } finally {
    ended.removeEventListener('abort', stop);
  }
}
