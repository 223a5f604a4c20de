import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { StrakeError } from '../../../base/index.ts';

/** The shim's executable. `runtime` is a path, or a name of which the last two parts name it: `io.containerd.runc.v2` is containerd-shim-runc-v2 in PATH. */
export function resolveRuntime(runtime: string, searchPath: string = process.env['PATH'] ?? ''): string {
  if (path.isAbsolute(runtime)) {
    if (!isExecutable(runtime)) throw new StrakeError('NotFound', `invalid custom binary path: ${runtime} is not an executable`, { fields: { layer: 'core' } });
    return runtime;
  }
  const name = shimName(runtime);
  const found = searchPath
    .split(':')
    .filter(path.isAbsolute)
    .map((directory) => path.join(directory, name))
    .find(isExecutable);
  if (found === undefined)
    throw new StrakeError('NotFound', `runtime ${JSON.stringify(runtime)} binary not installed: ${name} is not in PATH`, {
      fields: { layer: 'core', remedy: `install ${name} in a directory of PATH, or name the shim by its path` },
    });
  return found;
}

/** `containerd-shim-NAME-VERSION` of `a.b.NAME.VERSION`. InvalidArgument for what has no such parts. */
export function shimName(runtime: string): string {
  const parts = runtime.split('.');
  const [name = '', version = ''] = parts.slice(-2);
  if (parts.length < 2 || parts[0] === '' || name === '' || version === '' || /[/\0]/.test(runtime))
    throw new StrakeError(
      'InvalidArgument',
      `invalid runtime name ${JSON.stringify(runtime)}: it is a name like io.containerd.runc.v2, or the full path of a shim`,
      { fields: { layer: 'core' } },
    );
  return `containerd-shim-${name}-${version}`;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
