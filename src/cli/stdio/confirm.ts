import type { Context } from '../context.ts';
import { askLine } from './ask.ts';

/** Asks before something that cannot be taken back; only `y` and `yes` are a yes. */
export async function confirm(context: Context, question: string): Promise<boolean> {
  return /^y(?:es)?$/i.test((await askLine(context, `${question}\nAre you sure you want to continue? [y/N] `)).trim());
}
