import { chmodSync, mkdirSync } from 'node:fs';
import { StrakeError } from '../../base/index.ts';
import { defaultStateRoot } from '../../kernel/index.ts';
import { runsInUserNamespace } from '../machine.ts';

/** Where the state is when nobody says it: an ordinary user's in the user's own runtime directory, which runc decides alike. */
export function defaultRoot(): string {
  const runtimeDirectory = process.env['XDG_RUNTIME_DIR'];
  if (!runtimeDirectory || !(isOrdinaryUser() || (runsInUserNamespace() && process.env['USER'] !== 'root'))) return defaultStateRoot;
  const root = `${runtimeDirectory}/strake-runc`;
  mkdirSync(root, { recursive: true, mode: 0o700 });
  // The sticky bit keeps it from being cleaned up for its age (XDG Base Directory Specification, XDG_RUNTIME_DIR).
  chmodSync(root, 0o1700);
  return root;
}

/** `--rootless auto|true|false`: whether cgroups are taken only where they can be had. */
export function isRootless(flag = 'auto'): boolean {
  if (/^(1|t|true)$/i.test(flag)) return true;
  if (/^(0|f|false)$/i.test(flag)) return false;
  if (flag !== '' && flag !== 'auto')
    throw new StrakeError('InvalidArgument', `invalid value ${JSON.stringify(flag)} for --rootless`, { fields: { layer: 'runtime' } });
  return isOrdinaryUser() || runsInUserNamespace();
}

function isOrdinaryUser(): boolean {
  return process.geteuid?.() !== 0;
}
