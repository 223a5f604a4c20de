import { StrakeError } from '../../../base/index.ts';

/** Seconds since the epoch, with up to nine digits after a dot, as milliseconds; undefined for an empty text. */
export function parseTimestamp(text: string): number | undefined {
  if (text === '') return undefined;
  const match = /^(-?\d+)(?:\.(\d{1,9}))?$/.exec(text);
  if (match === null) throw new StrakeError('InvalidArgument', `invalid timestamp ${JSON.stringify(text)}: must be seconds since the epoch`);
  return Number(match[1]) * 1000 + Number((match[2] ?? '').padEnd(9, '0')) / 1e6;
}
