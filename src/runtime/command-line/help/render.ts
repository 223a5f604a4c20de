import type { Command } from '../command.ts';
import type { FlagTable } from '../flags.ts';
import { globalFlags } from '../global-options.ts';
import { verbs } from '../verbs.ts';
import { flagTexts } from './flag-texts.ts';
import { verbTexts } from './verb-texts.ts';

/** Sections and indentation are those of runc's help, which scripts look at. */
const indent = '   ';

export function globalHelp(version: string): string {
  return [
    section('NAME', 'strake-runc - Open Container Initiative runtime'),
    section('USAGE', 'strake-runc [global options] command [command options] [arguments...]'),
    section('VERSION', version),
    section(
      'COMMANDS',
      columns([...verbs.map((verb) => [verb, verbTexts[verb]?.summary ?? ''] as const), ['help, h', 'print the help of a command, or this']]),
    ),
    section('GLOBAL OPTIONS', flagLines('', globalFlags)),
  ].join('\n\n');
}

export function verbHelp(verb: string, command: Command): string {
  const { summary = '', description } = verbTexts[verb] ?? {};
  const { help: _help, version: _version, ...inherited } = globalFlags;
  return [
    section('NAME', `strake-runc ${verb} - ${summary}`),
    section('USAGE', `strake-runc ${command.usage}`),
    ...(description === undefined ? [] : [section('DESCRIPTION', description)]),
    section('OPTIONS', flagLines(verb, { ...command.flags, help: { kind: 'bool', alias: 'h' } })),
    section('GLOBAL OPTIONS', flagLines('', inherited)),
  ].join('\n\n');
}

/** The text of a flag in a verb's help; undefined for one that nobody described. */
export function flagText(verb: string, flag: string): readonly [value: string, text: string] | undefined {
  return flagTexts[`${verb} ${flag}`] ?? flagTexts[flag];
}

function flagLines(verb: string, flags: FlagTable): string {
  return columns(
    Object.entries(flags).map(([name, { alias }]) => {
      const [value, text] = flagText(verb, name) ?? ['', ''];
      const forms = [`--${name}`, ...(alias === undefined ? [] : [`-${alias}`])];
      return [forms.map((form) => (value === '' ? form : `${form} ${value}`)).join(', '), text];
    }),
  );
}

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `${name.padEnd(width)}  ${text}`).join('\n');
}

function section(title: string, text: string): string {
  return `${title}:\n${text.replace(/^(?=.)/gm, indent)}`;
}
