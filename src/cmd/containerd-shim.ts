import { strakeVersion } from '../cli/version-number.ts';
import { shimMain } from '../shim/command-line/main.ts';

/** `containerd-shim-strake-v2 ARGV…`, as containerd calls it, or `strake containerd-shim ARGV…`. */
export async function main(argv: readonly string[]): Promise<number> {
  return await shimMain(argv, { version: strakeVersion, self: [process.execPath, 'containerd-shim'] });
}
