import { expect, test } from 'bun:test';
import { ObjectTable } from './registry.ts';

const table = () => new ObjectTable<{ readonly id: string; readonly name: string }>('sandbox');

test('by an id, or a beginning that is only one’s', () => {
  const pods = table();
  const [one, two] = [
    { id: 'abc1', name: 'one' },
    { id: 'abd2', name: 'two' },
  ];
  pods.add(one);
  pods.add(two);
  expect([pods.find('abc1'), pods.find('abc'), pods.find('ab'), pods.find(''), pods.find('x')]).toEqual([one, one, undefined, undefined, undefined]);
  expect(() => pods.get('ab')).toThrow('sandbox "ab": not found');
  pods.remove(one);
  expect([pods.find('ab'), pods.list()]).toEqual([two, [two]]);
});

test('a name is taken while something of it is made, for good once it is there, and free again when that goes or never came', () => {
  const pods = table();
  {
    using _name = pods.reserve('pod', 'a');
    expect(() => pods.reserve('pod', 'b')).toThrow('failed to reserve sandbox name "pod": name "pod" is reserved for "a"');
  }
  {
    using _name = pods.reserve('pod', 'b');
    pods.add({ id: 'b', name: 'pod' });
  }
  expect(() => pods.reserve('pod', 'c')).toThrow('is reserved for "b"');
  pods.remove({ id: 'b', name: 'pod' });
  pods.reserve('pod', 'c')[Symbol.dispose]();
});
