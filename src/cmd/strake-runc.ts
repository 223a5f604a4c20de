import { StrakeError } from '../base/index.ts';
import { strakeCommit, strakeVersion } from '../cli/version-number.ts';
import { runtimeMain } from '../runtime/command-line/main.ts';
import { FrontLauncher } from '../runtime/lifecycle/front-launcher.ts';

/** The OCI runtime command line, started by its front (native/front.c): `strake-runc ARGV…`. Resolves with the exit status. */
export function main(argv: readonly string[]): Promise<number> {
  return runtimeMain(argv, { version: strakeVersion, commit: strakeCommit, launcher });
}

function launcher(): FrontLauncher {
  const control = Number(process.env['STRAKE_CONTROL']);
  if (!(control > 2)) throw new StrakeError('FailedPrecondition', 'strake-runc is the link to strake-init beside this executable, not this executable itself');
  return new FrontLauncher(control);
}
