import path from 'node:path';
import { strakeVersion } from '../cli/version-number.ts';
import { runtimeMain } from '../runtime/command-line/main.ts';
import { ChildLauncher } from '../runtime/lifecycle/child-launcher.ts';

/** The OCI runtime command line: `strake-runc ARGV…`. Resolves with the exit status. */
export function main(argv: readonly string[]): Promise<number> {
  const initPath = path.join(path.dirname(process.execPath), 'strake-init');
  return runtimeMain(argv, { version: strakeVersion, launcher: () => new ChildLauncher(initPath) });
}
