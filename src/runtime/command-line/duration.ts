import { StrakeError } from '../../base/index.ts';

/** Milliseconds in each unit of Go's time.ParseDuration. */
const unitsMs: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of `5s`, `100ms`, `1m30s`, `1.5h`. InvalidArgument for anything else, and for what is not above 0. */
export function parseDuration(flag: string, text: string): number {
  const refuse = (message: string) => new StrakeError('InvalidArgument', message, { fields: { layer: 'runtime' } });
  const wrong = refuse(`invalid value ${JSON.stringify(text)} for flag -${flag}: parse error`);
  if (!/^[+-]?(\d+(\.\d*)?(ns|us|µs|ms|s|m|h))+$/.test(text) && text !== '0') throw wrong;
  const ms = [...text.matchAll(/(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)/g)].reduce((sum, [, number, unit = '']) => sum + Number(number) * (unitsMs[unit] ?? 0), 0);
  if (text.startsWith('-') || !(ms > 0)) throw refuse(`duration ${flag} must be greater than 0`);
  return ms;
}
