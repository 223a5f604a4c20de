import { setTimeout as delay } from 'node:timers/promises';
import { errorMessage, isCode, type Logger } from '../../base/index.ts';
import { podUidLabel } from '../config/labels.ts';
import { type Cri, callTimeoutMs } from '../cri.ts';

export interface EventsOptions {
  readonly runtime: Cri['runtime'];
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Something has happened to the pod of this uid; undefined: to any of them, or nobody knows. */
  readonly onChange: (uid: string | undefined) => void;
}

const reconnectMs = 1000;
/** Kubernetes' own kubelet asks a runtime without events so often. */
const pollMs = 1000;

/** Tells of what happens to containers until the signal: by the runtime's events or, where it has none, by asking what there is. */
export async function followEvents(options: EventsOptions): Promise<void> {
  const { runtime, log, signal, onChange } = options;
  while (!signal.aborted) {
    try {
      const events = runtime.getContainerEvents({}, { signal });
      // What came before the stream began is known to nobody.
      onChange(undefined);
      for await (const event of events) onChange(event.podSandboxStatus?.metadata?.uid || undefined);
    } catch (error) {
      if (signal.aborted) return;
      if (isCode(error, 'Unimplemented')) {
        log.info('the runtime has no events: it is asked', { everyMs: pollMs });
        return await pollChanges(options);
      }
      log.warn('events of the runtime ended', { error: errorMessage(error) });
    }
    await delay(reconnectMs, undefined, { signal }).catch(() => undefined);
  }
}

async function pollChanges({ runtime, log, signal, onChange }: EventsOptions): Promise<void> {
  let known = new Map<string, string>();
  while (!signal.aborted) {
    await delay(pollMs, undefined, { signal }).catch(() => undefined);
    try {
      const [{ containers }, { items }] = await Promise.all([
        runtime.listContainers({}, { signal, timeoutMs: callTimeoutMs }),
        runtime.listPodSandbox({}, { signal, timeoutMs: callTimeoutMs }),
      ]);
      const found = new Map([...containers, ...items].map(({ id, labels, state }) => [id, `${labels[podUidLabel] ?? ''} ${state}`]));
      const uids = [...found, ...known].filter(([id, text]) => found.get(id) !== text || known.get(id) !== text).map(([, text]) => text.split(' ')[0]);
      for (const uid of new Set(uids)) if (uid) onChange(uid);
      known = found;
    } catch (error) {
      if (!signal.aborted) log.warn('the runtime does not answer', { error: errorMessage(error) });
    }
  }
}
