import { expect, test } from 'bun:test';
import { encodeMessage, type Field } from './protobuf.ts';

const cases: readonly (readonly [string, readonly Field[], string])[] = [
  ['a small number', [[1, 1]], '0801'],
  ['a number of two bytes, the example of the encoding’s description', [[1, 150]], '089601'],
  ['a negative number', [[17, -1]], '8801ffffffffffffffffff01'],
  [
    'booleans',
    [
      [3, true],
      [4, false],
    ],
    '18012000',
  ],
  ['text', [[2, 'testing']], '120774657374696e67'],
  ['a message in a message', [[3, encodeMessage([[1, 150]])]], '1a03089601'],
  ['a repeated field', [[23, ['a', 'b']]], 'ba010161ba010162'],
  [
    'fields that are left out',
    [
      [1, undefined],
      [2, []],
    ],
    '',
  ],
];

test.each(cases)('%s', (_what, fields, hex) => expect(Buffer.from(encodeMessage(fields)).toString('hex')).toBe(hex));
