import type { Context } from './context.ts';
import { describeError } from './describe-error.ts';

/** Does `action` for every name, prints each name that went well, and goes on after failures: status 1 when there was one. `summary` says which, in a last line. */
export async function forEachName(
  context: Context,
  names: readonly string[],
  action: (name: string) => Promise<string | undefined>,
  summary?: string,
): Promise<number> {
  const failed: string[] = [];
  for (const name of names) {
    try {
      const line = await action(name);
      if (line !== undefined) context.out(`${line}\n`);
    } catch (error) {
      failed.push(name);
      context.err(`${describeError(error)}\n`);
    }
  }
  if (failed.length > 0 && summary !== undefined) context.err(`${summary}: ${failed.join(', ')}\n`);
  return failed.length > 0 ? 1 : 0;
}
