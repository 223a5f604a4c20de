import { StrakeError } from '../base/index.ts';
import { defaultSocket, EngineClient, formatEndpoint, parseEndpoint } from '../docker-client/index.ts';
import type { Command } from './command.ts';
import { type CommandEntry, commandNames, findCommand } from './commands.ts';
import { createContext } from './context.ts';
import { describeError } from './describe-error.ts';
import { ensureEngine } from './engine-start.ts';
import { ExitStatus } from './exit-status.ts';
import type { FlagTable } from './flags/flags.ts';
import { formatFlags } from './flags/help.ts';
import { parseFlags } from './flags/parse.ts';
import { writeWhole } from './stdio/descriptors.ts';
import { UsageError } from './usage-error.ts';
import { strakeVersion } from './version-number.ts';

const globalFlags = {
  host: { kind: 'string', short: 'H', help: 'Engine to connect to (unix:///path or tcp://host:port)' },
  debug: { kind: 'bool', short: 'D', help: 'Print errors with everything that they know' },
  version: { kind: 'bool', short: 'v', help: 'Print version information and quit' },
} as const satisfies FlagTable;

const usageStatus = 125;

/** Runs `strake ARGV…` and answers the exit status. */
export async function main(argv: readonly string[], env: Readonly<Record<string, string | undefined>> = process.env): Promise<number> {
  let debug = false;
  let entry: CommandEntry | undefined;
  try {
    const globals = parseFlags(globalFlags, argv, { stopAtArgument: true });
    debug = globals.values.debug;
    if (globals.values.version) return print(`strake version ${strakeVersion}\n`);
    const [name, ...rest] = globals.args;
    if (name === undefined || name === 'help') return print(overview());
    const found = findCommand([name, ...rest]);
    if (!found) throw new UsageError(`unknown command: strake ${name}`);
    entry = found.entry;
    return await runCommand(await entry.load(), found.args, hostOf(globals.values.host, env), env, entry.needsEngine);
  } catch (error) {
    return report(error, entry, debug);
  }
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

function report(error: unknown, entry: CommandEntry | undefined, debug: boolean): number {
  const name = entry ? `strake ${entry.name}` : 'strake';
  if (error instanceof ExitStatus) {
    if (error.message) writeWhole(2, `${error.message}\n`);
    return error.status;
  }
  if (error instanceof UsageError) {
    writeWhole(2, `strake: ${error.message}\n\n${entry ? `Usage:  ${name} ${entry.usage}\n\n` : ''}Run '${name} --help' for more information\n`);
    return usageStatus;
  }
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'EPIPE') return 141;
  writeWhole(2, `${describeError(error)}\n`);
  if (debug && error instanceof Error) writeWhole(2, `${error.stack ?? ''}\n${JSON.stringify(error instanceof StrakeError ? error.fields : {})}\n`);
  return 1;
}

function overview(): string {
  const width = Math.max(...commandNames().map(({ name }) => name.length)) + 3;
  const rows = commandNames().map(({ name, summary }) => `  ${name.padEnd(width)}${summary}\n`);
  return `Usage:  strake [OPTIONS] COMMAND\n\nContainers, from the system call to the docker command\n\nCommands:\n${rows.join('')}\nGlobal options:\n${formatFlags(globalFlags)}\nRun 'strake COMMAND --help' for more information on a command.\nThe engine is at ${formatEndpoint({ kind: 'unix', path: defaultSocket })} unless -H, STRAKE_HOST or DOCKER_HOST names another; it is started when none runs.\n`;
}

function commandHelp(command: Command): string {
  const options = formatFlags(command.flags);
  return `Usage:  strake ${command.name} ${command.usage}\n\n${command.summary}\n${options ? `\nOptions:\n${options}` : ''}`;
}

function print(text: string): number {
  writeWhole(1, text);
  return 0;
}
