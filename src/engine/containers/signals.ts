import { constants } from 'node:os';
import { StrakeError } from '../../base/index.ts';

/** signal(7): SIGRTMIN as programs see it, after glibc's two. */
const realtimeMin = 34;
const realtimeMax = 64;

/** `9`, `KILL`, `SIGKILL`, `RTMIN+3` as a number. InvalidArgument as moby words it. */
export function parseSignal(text: string): number {
  const invalid = () => new StrakeError('InvalidArgument', `invalid signal: ${text}`);
  if (/^\d+$/.test(text)) {
    const number = Number(text);
    if (number === 0 || number > realtimeMax) throw invalid();
    return number;
  }
  const name = text.toUpperCase().replace(/^SIG/, '');
  const realtime = /^RT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(name);
  if (realtime !== null) {
    const base = realtime[1] === 'MIN' ? realtimeMin : realtimeMax;
    const number = base + (realtime[2] === '-' ? -1 : 1) * Number(realtime[3] ?? 0);
    if (number < realtimeMin || number > realtimeMax) throw invalid();
    return number;
  }
  const signals: Readonly<Record<string, number>> = constants.signals;
  const number = Object.hasOwn(signals, `SIG${name}`) ? signals[`SIG${name}`] : undefined;
  if (number === undefined) throw invalid();
  return number;
}

export const sigkill = 9;
export const sigterm = 15;
