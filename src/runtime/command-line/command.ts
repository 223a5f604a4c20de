import type { RuntimeContext } from '../lifecycle/context.ts';
import type { FlagTable, ParsedFlags } from './flags.ts';

/** One verb of the command line. */
export interface Command {
  /** the verb, its flags and its arguments, as the help's USAGE says them */
  readonly usage: string;
  readonly flags: FlagTable;
  /** how many arguments end the flags, when what follows belongs to another program; absent: flags may stand anywhere */
  readonly flagsEndAfter?: number;
  /** the exit status; an error is printed and logged by main */
  run(context: RuntimeContext, flags: ParsedFlags, print: (text: string) => void): number | Promise<number>;
}
