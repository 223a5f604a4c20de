import { StrakeError } from '../../base/index.ts';

const units = ['', 'k', 'm', 'g', 't', 'p'];

/** Bytes of `50M`, `1.5gb`, `1024`, `-1` (unlimited), as runc's and Docker's flags take them: powers of 1024. InvalidArgument that names the flag. */
export function parseSize(flag: string, text: string): bigint {
  if (text === '-1') return -1n;
  const [, whole = '', fraction = '', unit = ''] = /^(\d{1,19})(?:\.(\d+))? ?([kmgtp]?)(?:i?b)?$/i.exec(text) ?? [];
  if (whole === '') throw new StrakeError('InvalidArgument', `invalid value for ${flag}: invalid size: '${text}'`, { fields: { layer: 'runtime' } });
  const factor = 1024n ** BigInt(units.indexOf(unit.toLowerCase()));
  return BigInt(whole) * factor + (fraction === '' ? 0n : BigInt(Math.trunc(Number(`0.${fraction}`) * Number(factor))));
}

/** A decimal integer of 64 bits, unsigned unless `signed`; Go's words for anything else. */
export function parseInteger(flag: string, text: string, signed: boolean): bigint {
  const parser = signed ? 'ParseInt' : 'ParseUint';
  const refuse = (why: string) =>
    new StrakeError('InvalidArgument', `invalid value for ${flag}: strconv.${parser}: parsing ${JSON.stringify(text)}: ${why}`, {
      fields: { layer: 'runtime' },
    });
  if (!(signed ? /^[+-]?\d+$/ : /^\d+$/).test(text)) throw refuse('invalid syntax');
  const value = BigInt(text.replace(/^\+/, ''));
  const [least, most] = signed ? [-(2n ** 63n), 2n ** 63n - 1n] : [0n, 2n ** 64n - 1n];
  if (value < least || value > most) throw refuse('value out of range');
  return value;
}
