import { expect, test } from 'bun:test';
import { commandGroup, commandGroups } from './command-groups.ts';
import { findCommand } from './commands.ts';
import { groupHelp, overview } from './help.ts';

test('the help of a group', () => {
  const system = commandGroup('system');
  if (!system) throw new Error('no group');
  expect(groupHelp(system)).toBe(`Usage:  strake system COMMAND

Manage the engine

Commands:
  df       Show what images, containers and volumes take on the disk
  events   Follow events of the engine
  info     Show what the engine is and has
  prune    Remove what is not used

Run 'strake system COMMAND --help' for more information on a command.
`);
});

test.each(commandGroups().flatMap(({ name, members }) => [...members].map(([word, command]) => [name, word, command] as const)))(
  '%s %s is a command, with a line in its group',
  (name, word, command) => {
    expect(findCommand([name, word, 'argument'])).toMatchObject({ entry: { name: command }, args: ['argument'] });
    const group = commandGroup(name);
    expect(group && groupHelp(group)).toMatch(new RegExp(`^ {2}${word} +[A-Z]\\w+ `, 'm'));
  },
);

test.each([
  [['image', 'list', '-q'], 'images', ['-q']],
  [['image', 'remove', 'x'], 'rmi', ['x']],
  [['image', 'umount', 'x'], 'image unmount', ['x']],
  [['container', 'list'], 'ps', []],
  [['run', 'image', 'ls'], 'run', ['image', 'ls']],
])('%j', (words, name, args) => {
  expect(findCommand(words)).toMatchObject({ entry: { name }, args });
});

test.each([[['image']], [['image', 'nonsense']], [['nonsense']], [['image', '__proto__']]])('%j is no command', (words) => {
  expect(findCommand(words)).toBeUndefined();
});

test('the overview shows groups, and no command of a group alone', () => {
  const text = overview({});
  expect(text).toMatch(/^ {2}image +Manage images$/m);
  expect(text).not.toMatch(/^ {2}image prune/m);
});
