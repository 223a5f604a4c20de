import { expect, test } from 'bun:test';
import { jsonWithPid, nestPidText, pidOffsetBytes } from './pid-field.ts';

const filled = ({ text, offsets }: ReturnType<typeof jsonWithPid>, pid: number) => {
  const bytes = Buffer.from(text);
  for (const offset of offsets) bytes.write(String(pid).padStart(10), offset);
  return JSON.parse(bytes.toString()) as unknown;
};

test('the pid is a field of its own, whatever stands beside it', () => {
  expect(filled(jsonWithPid({}), 7)).toEqual({ pid: 7 });
  expect(filled(jsonWithPid({ id: 'ü"pid":          ' }), 4194304)).toEqual({ pid: 4194304, id: 'ü"pid":          ' });
});

test('one inside another, behind text that is longer as bytes', () => {
  const state = nestPidText({ metadata: 'käse' }, 'state', jsonWithPid({ id: 'c' }));
  expect(filled(state, 12)).toEqual({ pid: 12, metadata: 'käse', state: { pid: 12, id: 'c' } });
  expect([...pidOffsetBytes(state)]).toEqual([7, 0, 0, 0, ...[Buffer.byteLength(state.text.slice(0, state.text.lastIndexOf('"pid":'))) + 6, 0, 0, 0]]);
});
