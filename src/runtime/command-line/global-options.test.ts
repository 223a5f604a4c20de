import { describe, expect, test } from 'bun:test';
import { parseFlags } from './flags.ts';
import { givenRoot, globalFlags, logOptions } from './global-options.ts';

const globals = (...argv: string[]) => parseFlags(globalFlags, argv, 1);

describe('the log', () => {
  const cases: readonly (readonly [readonly string[], ReturnType<typeof logOptions>])[] = [
    [[], { file: undefined, format: 'text', level: 'warning' }],
    [['--log', '/run/log', '--log-format=json', '--debug'], { file: '/run/log', format: 'json', level: 'debug' }],
    [['--log', 'file:/run/log', '--log-level', 'error'], { file: '/run/log', format: 'text', level: 'error' }],
    [['--log=', '--log-format='], { file: undefined, format: 'text', level: 'warning' }],
  ];
  test.each(cases)('%j', (argv, options) => expect(logOptions(globals(...argv))).toEqual(options));
  test.each([
    [['--log-format', 'xml'], 'invalid log-format: xml'],
    [['--log-level', 'loud'], 'invalid log-level: loud: one of error, warning, debug'],
    [['--log', 'syslog:x'], '--log syslog: is not supported: give a file, or leave the log on stderr'],
    [['--log', 'journald:'], '--log journald: is not supported: give a file, or leave the log on stderr'],
  ])('%j is refused', (argv, message) => expect(() => logOptions(globals(...argv))).toThrow(message));
});

describe('the root', () => {
  test('is made absolute', () => expect(givenRoot(globals('--root', 'state/../run'))).toBe(`${process.cwd()}/run`));
  test('is nobody’s when it is not given', () => expect(givenRoot(globals('list'))).toBeUndefined());
  test('is not /', () => expect(() => givenRoot(globals('--root', '/'))).toThrow('Option --root argument should not be set to /'));
});
