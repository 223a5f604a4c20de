import type { Context } from './context.ts';
import type { FlagTable, ParsedFlags } from './flags/flags.ts';

/** One verb. `run` answers the exit status. */
export interface Command<Table extends FlagTable = FlagTable> {
  readonly name: string;
  /** The arguments, as help shows them: `[OPTIONS] IMAGE [COMMAND] [ARG...]`. */
  readonly usage: string;
  readonly summary: string;
  readonly flags: Table;
  /** Flags end at the first argument. */
  readonly stopAtArgument?: boolean;
  readonly minArgs: number;
  readonly maxArgs: number;
  run(context: Context, parsed: ParsedFlags<Table>): Promise<number>;
}

/** Types a command by its own flag table. */
export function defineCommand<const Table extends FlagTable>(command: Command<Table>): Command {
  return command as unknown as Command;
}
