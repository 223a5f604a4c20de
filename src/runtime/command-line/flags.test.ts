import { describe, expect, test } from 'bun:test';
import { parseFlags } from './flags.ts';

const table = { bundle: { kind: 'string', alias: 'b' }, force: { kind: 'bool', alias: 'f' }, env: { kind: 'list', alias: 'e' } } as const;

describe('parseFlags', () => {
  test('one or two dashes, = or the next word, up to the first argument', () => {
    const flags = parseFlags(table, ['-bundle', '/b', '--force=false', '-e', 'A=1', '--env=B=2', 'id', '--force', '-x']);
    expect(flags.string('bundle')).toBe('/b');
    expect(flags.bool('force')).toBe(false);
    expect(flags.list('env')).toEqual(['A=1', 'B=2']);
    expect(flags.args).toEqual(['id', '--force', '-x']);
  });
  test('-- ends the flags', () => expect(parseFlags(table, ['-f', '--', '-b']).args).toEqual(['-b']));
  const bad: readonly (readonly [readonly string[], string])[] = [
    [['--nope'], 'flag provided but not defined: -nope'],
    [['--toString'], 'flag provided but not defined: -toString'],
    [['-b'], 'flag needs an argument: -b'],
    [['--force=maybe'], 'invalid boolean value "maybe" for -force'],
  ];
  for (const [argv, message] of bad) test(argv.join(' '), () => expect(() => parseFlags(table, argv)).toThrow(message));
});
