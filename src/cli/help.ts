import { defaultSocket, formatEndpoint } from '../docker-client/index.ts';
import type { Command } from './command.ts';
import { type CommandGroup, commandGroups } from './command-groups.ts';
import { commandNames } from './commands.ts';
import type { FlagTable } from './flags/flags.ts';
import { formatFlags } from './flags/help.ts';

type Row = readonly [name: string, summary: string];

/** `strake --help`. */
export function overview(globalFlags: FlagTable): string {
  const groups = commandGroups().map(({ name, summary }): Row => [name, summary]);
  // Those of groups are shown by their groups.
  const commands = commandNames().flatMap(({ name, summary }): Row[] => (name.includes(' ') ? [] : [[name, summary]]));
  const width = Math.max(...[...groups, ...commands].map(([name]) => name.length));
  return `Usage:  strake [OPTIONS] COMMAND

Containers, from the system call to the docker command

Management Commands:
${table(groups, width)}
Commands:
${table(commands, width)}
Global options:
${formatFlags(globalFlags)}
Run 'strake COMMAND --help' for more information on a command.
The engine is at ${formatEndpoint({ kind: 'unix', path: defaultSocket })} unless -H, STRAKE_HOST or DOCKER_HOST names another; it is started when none runs.
`;
}

/** `strake image`, `strake image --help`. */
export function groupHelp({ name, summary, members }: CommandGroup): string {
  const summaries = new Map(commandNames().map((command) => [command.name, command.summary]));
  const rows = [...members].map(([word, command]): Row => [word, summaries.get(command) ?? '']).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `Usage:  strake ${name} COMMAND

${summary}

Commands:
${table(rows, Math.max(...rows.map(([word]) => word.length)))}
Run 'strake ${name} COMMAND --help' for more information on a command.
`;
}

/** `strake run --help`. */
export function commandHelp(command: Command): string {
  const options = formatFlags(command.flags);
  return `Usage:  strake ${command.name} ${command.usage}\n\n${command.summary}\n${options ? `\nOptions:\n${options}` : ''}`;
}

function table(rows: readonly Row[], width: number): string {
  return rows.map(([name, summary]) => `  ${name.padEnd(width + 3)}${summary}\n`).join('');
}
