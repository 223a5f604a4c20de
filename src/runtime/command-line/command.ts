import type { RuntimeContext } from '../lifecycle/context.ts';
import type { FlagTable, ParsedFlags } from './flags.ts';

/** One verb of the command line. */
export interface Command {
  readonly usage: string;
  readonly flags: FlagTable;
  /** the exit status; an error is printed and logged by main */
  run(context: RuntimeContext, flags: ParsedFlags, print: (text: string) => void): number | Promise<number>;
}
