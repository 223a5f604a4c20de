import path from 'node:path';
import { strakeVersion } from '../cli/version-number.ts';
import { DirectLauncher } from '../kernel/index.ts';
import { runtimeMain } from '../runtime/command-line/main.ts';

/** The OCI runtime command line: `strake-runc ARGV…`. Resolves with the exit status. */
export function main(argv: readonly string[]): Promise<number> {
  const initPath = path.join(path.dirname(process.execPath), 'strake-init');
  return runtimeMain(argv, { version: strakeVersion, launcher: () => new DirectLauncher({ initPath }) });
}
