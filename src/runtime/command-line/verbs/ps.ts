import { spawnSync } from 'node:child_process';
import { StrakeError } from '../../../base/index.ts';
import { loadMade } from '../../lifecycle/load-made.ts';
import { containerPids } from '../../lifecycle/processes.ts';
import type { Command } from '../command.ts';
import { minArgs } from '../flags.ts';

export const ps: Command = {
  usage: 'ps [options] <container-id> [ps options]',
  flags: { format: { kind: 'string', alias: 'f' } },
  flagsEndAfter: 1,
  async run({ store }, flags, print) {
    minArgs('ps', flags.args, 1);
    const [id = '', ...options] = flags.args;
    const pids = await containerPids(await loadMade(store, id));
    const format = flags.string('format') ?? 'table';
    if (format === 'json') print(JSON.stringify(pids));
    else if (format === 'table') for (const line of linesOf(pids, hostPs(options.length > 0 ? options : ['-ef']))) print(line);
    else throw refuse('invalid format option');
    return 0;
  },
};

/** The host's ps(1): the format that people ask it for is its own. */
function hostPs(options: readonly string[]): string {
  const result = spawnSync('ps', options, { encoding: 'utf8' });
  if (result.error) throw refuse(`ps: ${result.error.message}`);
  if (result.status !== 0) throw refuse(`ps: exit status ${result.status}: ${result.stdout}${result.stderr}`);
  return result.stdout;
}

/** The header, and the lines of these processes. */
export function linesOf(pids: readonly number[], output: string): string[] {
  const [header = '', ...lines] = output.split('\n');
  const column = header.trim().split(/\s+/).indexOf('PID');
  if (column < 0) throw refuse("couldn't find PID field in ps output");
  const wanted = new Set(pids.map(String));
  return [header, ...lines.filter((line) => wanted.has(line.trim().split(/\s+/)[column] ?? ''))];
}

function refuse(message: string): StrakeError {
  return new StrakeError('InvalidArgument', message, { fields: { layer: 'runtime' } });
}
