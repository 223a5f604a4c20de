import { runFace } from './face.ts';
import { parseRegistryFlags, registryUsage } from './registry/flags.ts';
import { runRegistry } from './registry/run-registry.ts';

/** `strake registry ARGV…`: serves images until a signal; resolves with the exit status. */
export const main = async (argv: readonly string[]): Promise<number> =>
  await runFace({ name: 'registry', parse: parseRegistryFlags, usage: registryUsage, run: runRegistry }, argv);
