import type { Context } from './context.ts';
import { describeError } from './describe-error.ts';

/** Does `action` for every name, prints each name that went well, and goes on after failures: status 1 when there was one. */
export async function forEachName(context: Context, names: readonly string[], action: (name: string) => Promise<string | undefined>): Promise<number> {
  let failures = 0;
  for (const name of names) {
    try {
      const line = await action(name);
      if (line !== undefined) context.out(`${line}\n`);
    } catch (error) {
      failures += 1;
      context.err(`${describeError(error)}\n`);
    }
  }
  return failures > 0 ? 1 : 0;
}
