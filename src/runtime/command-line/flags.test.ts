import { describe, expect, test } from 'bun:test';
import { exactArgs, maxArgs, minArgs, misuseOf, parseFlags } from './flags.ts';

const table = { bundle: { kind: 'string', alias: 'b' }, force: { kind: 'bool', alias: 'f' }, env: { kind: 'list', alias: 'e' } } as const;

describe('parseFlags', () => {
  test('one or two dashes, = or the next word, before and behind arguments', () => {
    const flags = parseFlags(table, ['-bundle', '/b', '--force=false', '-e', 'A=1', 'id', '--env=B=2', '-']);
    expect(flags.string('bundle')).toBe('/b');
    expect(flags.bool('force')).toBe(false);
    expect(flags.list('env')).toEqual(['A=1', 'B=2']);
    expect(flags.args).toEqual(['id', '-']);
  });
  test('the last one wins', () => expect(parseFlags(table, ['-b', '/1', '--bundle=/2']).string('bundle')).toBe('/2'));
  test('what follows the last argument of ours is not ours', () => {
    const flags = parseFlags(table, ['-f', 'id', '--force', '-x'], 1);
    expect(flags.args).toEqual(['id', '--force', '-x']);
  });
  test('-- ends the flags', () => expect(parseFlags(table, ['-f', 'id', '--', '-b']).args).toEqual(['id', '-b']));
  const bad: readonly (readonly [readonly string[], string])[] = [
    [['--nope'], 'flag provided but not defined: -nope'],
    [['id', '--toString'], 'flag provided but not defined: -toString'],
    [['-b'], 'flag needs an argument: -b'],
    [['--force=maybe'], 'invalid boolean value "maybe" for -force'],
  ];
  for (const [argv, message] of bad)
    test(argv.join(' '), () => {
      try {
        parseFlags(table, argv);
        expect.unreachable();
      } catch (error) {
        expect((error as Error).message).toBe(message);
        expect(misuseOf(error)).toBe('flag');
      }
    });
});

describe('numbers of arguments', () => {
  const bad: readonly (readonly [() => void, string])[] = [
    [() => exactArgs('state', [], 1), 'strake-runc: "state" requires exactly 1 argument(s)'],
    [() => minArgs('kill', [], 1), 'strake-runc: "kill" requires a minimum of 1 argument(s)'],
    [() => maxArgs('kill', ['a', 'b', 'c'], 2), 'strake-runc: "kill" requires a maximum of 2 argument(s)'],
  ];
  for (const [check, message] of bad)
    test(message, () => {
      try {
        check();
        expect.unreachable();
      } catch (error) {
        expect((error as Error).message).toBe(message);
        expect(misuseOf(error)).toBe('arguments');
      }
    });
  test('as many as asked', () => {
    exactArgs('state', ['a'], 1);
    minArgs('exec', ['a', 'b'], 1);
    maxArgs('kill', ['a', 'b'], 2);
    expect(misuseOf(new Error('other'))).toBeUndefined();
  });
});
