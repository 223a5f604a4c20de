import { StrakeError } from '../base/index.ts';
import { strakeCommit, strakeVersion } from '../cli/version-number.ts';
import { terminal } from '../quickjs/terminal.ts';
import { runtimeMain } from '../runtime/command-line/main.ts';
import { FrontLauncher } from '../runtime/lifecycle/front-launcher.ts';

// The OCI runtime command line, in strake-decider (native/decider), which its front starts (native/front.c): `strake-runc ARGV…`.
process.exit(await runtimeMain(process.argv, { version: strakeVersion, commit: strakeCommit, launcher, terminal }));

function launcher(): FrontLauncher {
  const control = Number(process.env['STRAKE_CONTROL']);
  if (!(control > 2)) throw new StrakeError('FailedPrecondition', 'strake-decider is started by strake-runc, the link to strake-init beside it');
  return new FrontLauncher(control);
}
