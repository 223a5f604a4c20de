import { existsSync } from 'node:fs';
import { errorMessage } from '../../base/index.ts';
import type { Hooks } from '../../oci/index.ts';
import { type HookedContainer, laterHooks } from '../compile/hooks.ts';
import type { RuntimeContext } from './context.ts';

/** Runs the poststart hooks of a container that runs as `pid`. The first that fails is thrown. */
export function runPoststartHooks({ launcher }: RuntimeContext, hooks: Hooks | undefined, container: HookedContainer, pid: number): void {
  for (const program of laterHooks('poststart', hooks, container, { ...place(hooks, container), pid })) launcher.run(program);
}

/** Runs the poststop hooks. One that fails is told, and the others go on (runtime.md, "Lifecycle", step 13). */
export function runPoststopHooks({ launcher, warn }: RuntimeContext, hooks: Hooks | undefined, container: HookedContainer): void {
  for (const program of laterHooks('poststop', hooks, container, place(hooks, container))) {
    try {
      launcher.run(program);
    } catch (error) {
      warn(errorMessage(error));
    }
  }
}

/** What hooks without an environment get; read only where there are hooks. */
export function callersEnvironment(hooks: Hooks | undefined): readonly string[] {
  return hooks === undefined ? [] : Object.entries(process.env).map(([name, value]) => `${name}=${value}`);
}

function place(hooks: Hooks | undefined, { bundle }: HookedContainer) {
  return { environment: callersEnvironment(hooks), bundleExists: hooks !== undefined && existsSync(bundle) };
}
