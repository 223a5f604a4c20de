import { StrakeError } from '../base/index.ts';
import { defaultSocket, EngineClient, parseEndpoint } from '../docker-client/index.ts';
import type { Command } from './command.ts';
import { type CommandGroup, commandGroup } from './command-groups.ts';
import { type CommandEntry, findCommand } from './commands.ts';
import { createContext } from './context.ts';
import { describeError } from './describe-error.ts';
import { ensureEngine } from './engine-start.ts';
import { ExitStatus } from './exit-status.ts';
import type { FlagTable } from './flags/flags.ts';
import { parseFlags } from './flags/parse.ts';
import { commandHelp, groupHelp, overview } from './help.ts';
import { writeWhole } from './stdio/descriptors.ts';
import { UsageError } from './usage-error.ts';
import { strakeVersion } from './version-number.ts';

const globalFlags = {
  host: { kind: 'string', short: 'H', help: 'Engine to connect to (unix:///path or tcp://host:port)' },
  debug: { kind: 'bool', short: 'D', help: 'Print errors with everything that they know' },
  version: { kind: 'bool', short: 'v', help: 'Print version information and quit' },
} as const satisfies FlagTable;

/** Docker's status where a command or a topic is not there. */
const unknownStatus = 1;

/** Runs `strake ARGV…` and answers the exit status. */
export async function main(argv: readonly string[], env: Readonly<Record<string, string | undefined>> = process.env): Promise<number> {
  let debug = false;
  /** What an error of usage is about. */
  let scope: Pick<CommandEntry, 'name' | 'usage'> | undefined;
  try {
    const globals = parseFlags(globalFlags, argv, { stopAtArgument: true });
    debug = globals.values.debug;
    if (globals.values.version) return print(`strake version ${strakeVersion}\n`);
    const [name, ...rest] = globals.args;
    if (name === undefined || globals.help) return print(overview(globalFlags));
    if (name === 'help') return print(await helpTopic(rest));
    const found = findCommand(globals.args);
    if (found) {
      scope = found.entry;
      return await runCommand(await found.entry.load(), found.args, hostOf(globals.values.host, env), env, found.entry.needsEngine);
    }
    const group = commandGroup(name);
    if (!group) throw new UsageError(`unknown command: strake ${name}`, unknownStatus);
    scope = { name, usage: '' };
    return runGroup(group, rest);
  } catch (error) {
    return report(error, scope, debug);
  }
}

/** `strake help WORDS…` */
async function helpTopic(words: readonly string[]): Promise<string> {
  const [name, ...rest] = words;
  if (name === undefined) return overview(globalFlags);
  const found = findCommand(words);
  if (found) return commandHelp(await found.entry.load());
  const group = commandGroup(name);
  if (!group || rest.length > 0) throw new ExitStatus(unknownStatus, `unknown help topic: ${(group ? rest : words).join(' ')}`);
  return groupHelp(group);
}

/** A group without one of its commands shows what it has: on stderr, as docker does when it was not asked for help. */
function runGroup(group: CommandGroup, words: readonly string[]): number {
  const { args, help } = parseFlags({}, words, { stopAtArgument: true });
  if (help) return print(groupHelp(group));
  if (args[0] !== undefined) throw new UsageError(`unknown command: strake ${group.name} ${args[0]}`, unknownStatus);
  writeWhole(2, groupHelp(group));
  return 0;
}

/** Where the engine is, and whether it was asked for by name: then it is not started when missing. */
function hostOf(flag: string | undefined, env: Readonly<Record<string, string | undefined>>): { readonly address: string; readonly explicit: boolean } {
  const address = flag ?? env['STRAKE_HOST'] ?? env['DOCKER_HOST'];
  return address ? { address, explicit: true } : { address: `unix://${defaultSocket}`, explicit: false };
}

async function runCommand(
  command: Command,
  argv: readonly string[],
  host: ReturnType<typeof hostOf>,
  env: Readonly<Record<string, string | undefined>>,
  needsEngine: boolean,
): Promise<number> {
  const parsed = parseFlags(command.flags, argv, { stopAtArgument: command.stopAtArgument ?? false });
  if (parsed.help) return print(commandHelp(command));
  if (parsed.args.length < command.minArgs || parsed.args.length > command.maxArgs) throw new UsageError(argumentCountMessage(command));
  const endpoint = parseEndpoint(host.address);
  if (needsEngine && !host.explicit) await ensureEngine(endpoint, env);
  return await command.run(createContext(new EngineClient(endpoint), env), parsed);
}

function argumentCountMessage(command: Command): string {
  const plural = (count: number) => `${count} argument${count === 1 ? '' : 's'}`;
  if (command.minArgs === command.maxArgs)
    return command.minArgs === 0 ? `'strake ${command.name}' accepts no arguments` : `'strake ${command.name}' requires ${plural(command.minArgs)}`;
  return `'strake ${command.name}' requires at least ${plural(command.minArgs)}`;
}

function report(error: unknown, scope: Pick<CommandEntry, 'name' | 'usage'> | undefined, debug: boolean): number {
  const name = scope ? `strake ${scope.name}` : 'strake';
  if (error instanceof ExitStatus) {
    if (error.message) writeWhole(2, `${error.message}\n`);
    return error.status;
  }
  if (error instanceof UsageError) {
    writeWhole(2, `strake: ${error.message}\n\n${scope ? `Usage:  ${`${name} ${scope.usage}`.trimEnd()}\n\n` : ''}Run '${name} --help' for more information\n`);
    return error.status;
  }
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'EPIPE') return 141;
  writeWhole(2, `${describeError(error)}\n`);
  if (debug && error instanceof Error) writeWhole(2, `${error.stack ?? ''}\n${JSON.stringify(error instanceof StrakeError ? error.fields : {})}\n`);
  return 1;
}

function print(text: string): number {
  writeWhole(1, text);
  return 0;
}
