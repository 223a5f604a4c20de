import { describe, expect, test } from 'bun:test';
import type { FlagTable } from './flags.ts';
import { formatFlags } from './help.ts';
import { parseFlags } from './parse.ts';

const table = {
  detach: { kind: 'bool', short: 'd', help: 'Detach' },
  'sig-proxy': { kind: 'bool', on: true, help: 'Proxy' },
  interactive: { kind: 'bool', short: 'i', help: 'Stdin' },
  tty: { kind: 'bool', short: 't', help: 'Terminal' },
  env: { kind: 'list', short: 'e', help: 'Environment' },
  name: { kind: 'string', help: 'Name' },
  last: { kind: 'int', short: 'n', help: 'Last' },
} as const satisfies FlagTable;

const parse = (argv: readonly string[], stopAtArgument = true) => parseFlags(table, argv, { stopAtArgument });

describe('parseFlags', () => {
  test('stops at the first argument', () => {
    const { values, args } = parse(['-it', '--name=web', 'busybox', 'sh', '-d', '--', '-x']);
    expect(values).toEqual({ detach: false, 'sig-proxy': true, interactive: true, tty: true, env: [], name: 'web', last: undefined });
    expect(args).toEqual(['busybox', 'sh', '-d', '--', '-x']);
  });

  test('takes flags between arguments where the command allows it', () => {
    const { values, args } = parse(['a', '-d', 'b'], false);
    expect([values.detach, args]).toEqual([true, ['a', 'b']]);
  });

  test('values in every form', () => {
    const { values, given } = parse(['-eA=1', '-e', 'B=2', '--env', 'C=3', '--env=D=4=5', '-n3', '--sig-proxy=false', '-de', 'E']);
    expect(values.env).toEqual(['A=1', 'B=2', 'C=3', 'D=4=5', 'E']);
    expect([values.last, values['sig-proxy'], values.detach]).toEqual([3, false, true]);
    expect(given.has('name')).toBe(false);
  });

  test('ends flags at --', () => expect(parse(['--', '-d']).args).toEqual(['-d']));
  test('--help and -h', () => expect([parse(['--help']).help, parse(['-h']).help]).toEqual([true, true]));

  test.each([
    [['--nope'], 'unknown flag: --nope'],
    [['--__proto__'], 'unknown flag: --__proto__'],
    [['-z'], "unknown shorthand flag: 'z' in -z"],
    [['-iz'], "unknown shorthand flag: 'z' in -iz"],
    [['--name'], 'flag needs an argument: --name'],
    [['-e'], "flag needs an argument: 'e' in -e"],
    [['-n', 'x'], 'invalid argument "x" for "-n, --last" flag: strconv.ParseInt: parsing "x": invalid syntax'],
    [['--detach=maybe'], 'invalid argument "maybe" for "--detach" flag: strconv.ParseBool: parsing "maybe": invalid syntax'],
  ])('%j is refused', (argv, message) => expect(() => parse(argv)).toThrow(message));
});

test('formatFlags', () => {
  expect(formatFlags(table)).toBe(`  -d, --detach        Detach
  -e, --env list      Environment
  -i, --interactive   Stdin
  -n, --last int      Last
      --name string   Name
      --sig-proxy     Proxy (default true)
  -t, --tty           Terminal
`);
});
