import { createLineLogger, errorMessage } from '../base/index.ts';
import { writeLogLine } from './daemon/write-log-line.ts';
import { parseRegistryFlags, type RegistryFlags, registryUsage } from './registry/flags.ts';
import { runRegistry } from './registry/run-registry.ts';

/** `strake registry ARGV…`: serves images until a signal; resolves with the exit status. */
export async function main(argv: readonly string[]): Promise<number> {
  let flags: RegistryFlags;
  try {
    flags = parseRegistryFlags(argv);
  } catch (error) {
    process.stderr.write(`strake registry: ${errorMessage(error)}\nSee 'strake registry --help'.\n`);
    return 125;
  }
  if (flags.help) {
    process.stdout.write(registryUsage());
    return 0;
  }
  return await runRegistry(flags, createLineLogger({ level: flags.logLevel, format: flags.logFormat, write: writeLogLine }));
}
