import { constants } from 'node:os';
import { criTypes } from '../api/cri/index.ts';
import { invalid } from './refusals.ts';

/** signal(7): SIGRTMIN as programs see it, after glibc's two. */
const realtimeMin = 34;
const realtimeMax = 64;

export const sigkill = 9;
const defaultStopSignal = 'SIGTERM';

/** The number of a signal as an image or the interface names it: `TERM`, `SIGRTMIN+3`, `15`. */
export function signalNumber(text: string): number {
  if (/^\d+$/.test(text) && Number(text) > 0 && Number(text) <= realtimeMax) return Number(text);
  const name = text.toUpperCase().replace(/^SIG/, '');
  const [, edge, sign, distance = '0'] = /^RT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(name) ?? [];
  if (edge !== undefined) {
    const number = (edge === 'MIN' ? realtimeMin : realtimeMax) + (sign === '-' ? -1 : 1) * Number(distance);
    if (number >= realtimeMin && number <= realtimeMax) return number;
  }
  const known: Readonly<Record<string, number>> = { ...constants.signals, SIGCLD: constants.signals.SIGCHLD };
  const number = Object.hasOwn(known, `SIG${name}`) ? known[`SIG${name}`] : undefined;
  if (number === undefined) throw invalid(`invalid signal: ${text}`);
  return number;
}

/** What ends a container: what the pod says, else its image, else SIGTERM. */
export function stopSignalName(wanted: criTypes.Signal, ofImage: string | undefined): string {
  if (wanted === criTypes.Signal.RUNTIME_DEFAULT) return ofImage ? ofImage : defaultStopSignal;
  const name = criTypes.SignalSchema.value[wanted]?.name;
  if (name === undefined) throw invalid(`unknown stop signal ${wanted}`);
  return name
    .replace(/^SIGNAL_/, '')
    .replace('PLUS', '+')
    .replace('MINUS', '-');
}

/** As the interface numbers it; RUNTIME_DEFAULT for what it has no number of. */
export function criSignal(name: string): criTypes.Signal {
  const full = name
    .toUpperCase()
    .replace(/^(?:SIG)?/, 'SIGNAL_SIG')
    .replace('+', 'PLUS')
    .replace('-', 'MINUS');
  const known = criTypes.SignalSchema.values.find((value) => value.name === full);
  return (known?.number ?? criTypes.Signal.RUNTIME_DEFAULT) as criTypes.Signal;
}
