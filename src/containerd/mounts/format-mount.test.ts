import { expect, test } from 'bun:test';
import { formatMount, type MadeMount } from './format-mount.ts';

const made: readonly MadeMount[] = ['a', 'b', 'c'].map((name) => ({ type: 'bind', source: `/s/${name}`, target: name, options: [], mountPoint: `/m/${name}` }));
const mount = (text: string, type = 'format/overlay') => ({ type, source: text, target: text, options: ['ro', `lowerdir=${text}`] });

test.each([
  ['{{ source 0 }}', '/s/a'],
  ['{{target 2}}', 'c'],
  ['{{ mount 1 }}/work', '/m/b/work'],
  ['{{ overlay 0 2 }}', '/m/a:/m/b:/m/c'],
  ['{{ overlay 2 1 }}', '/m/c:/m/b'],
  ['nothing {{', 'nothing {{'],
])('%s is %s', (text, value) => {
  expect(formatMount(mount(text), made)).toEqual({ type: 'overlay', source: value, target: value, options: ['ro', `lowerdir=${value}`] });
});

test.each([
  ['{{ mount 3 }}', '{{ mount 3 }}: index out of bounds: 3, has 3 active mounts'],
  ['{{ mount -1 }}', '{{ mount -1 }}: index out of bounds: -1, has 3 active mounts'],
  ['{{ overlay 1 9 }}', '{{ overlay 1 9 }}: invalid range: 1-9, has 3 active mounts'],
  ['{{ mount }}', '{{ mount }} is not known'],
  ['{{ mount 1 2 }}', '{{ mount 1 2 }} is not known'],
  ['{{ print 1 }}', '{{ print 1 }} is not known'],
])('%s is refused', (text, message) => {
  expect(() => formatMount(mount(text), made)).toThrow(message);
});

test('what is not to be formatted stays as it is', () => {
  expect(formatMount(mount('{{ mount 0 }}', 'bind'), made)).toEqual(mount('{{ mount 0 }}', 'bind'));
});
