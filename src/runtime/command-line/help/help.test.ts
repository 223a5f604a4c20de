import { describe, expect, test } from 'bun:test';
import { globalFlags } from '../global-options.ts';
import { loadCommand, verbs } from '../verbs.ts';
import { flagTexts } from './flag-texts.ts';
import { flagText, globalHelp, verbHelp } from './render.ts';
import { verbTexts } from './verb-texts.ts';

describe('each verb', () => {
  test.each(verbs.map((verb) => [verb]))('%s is described, and all its flags', async (verb) => {
    const command = await loadCommand(verb);
    expect(command?.usage).toStartWith(verb);
    expect(verbTexts[verb]?.summary).toBeString();
    expect(Object.keys(command?.flags ?? {}).filter((flag) => flagText(verb, flag) === undefined)).toEqual([]);
  });

  test('nothing is described that is not there', async () => {
    expect(Object.keys(verbTexts).filter((verb) => !verbs.includes(verb))).toEqual([]);
    const used = new Set(Object.keys(globalFlags));
    for (const verb of verbs)
      for (const flag of Object.keys((await loadCommand(verb))?.flags ?? {})) used.add(flagTexts[`${verb} ${flag}`] ? `${verb} ${flag}` : flag);
    expect(Object.keys(flagTexts).filter((flag) => !used.has(flag))).toEqual([]);
  });

  test('a flag says whether it takes a value', async () => {
    for (const verb of verbs)
      for (const [flag, { kind }] of Object.entries((await loadCommand(verb))?.flags ?? {}))
        expect([verb, flag, flagText(verb, flag)?.[0] === '']).toEqual([verb, flag, kind === 'bool']);
  });
});

test('the shape is runc’s: NAME first, then USAGE, with the program’s name', async () => {
  const lines = globalHelp('1.2.3').split('\n');
  expect(lines.slice(0, 5)).toEqual([
    'NAME:',
    '   strake-runc - Open Container Initiative runtime',
    '',
    'USAGE:',
    '   strake-runc [global options] command [command options] [arguments...]',
  ]);
  expect(lines).toContain('   1.2.3');
  const start = await loadCommand('start');
  expect(start && verbHelp('start', start).split('\n').slice(0, 9)).toEqual([
    'NAME:',
    '   strake-runc start - let the process of a created container run',
    '',
    'USAGE:',
    '   strake-runc start <container-id>',
    '',
    'OPTIONS:',
    '   --trace file  write where the time goes to this file: phases and operations as JSON lines',
    '   --help, -h    print this',
  ]);
});
