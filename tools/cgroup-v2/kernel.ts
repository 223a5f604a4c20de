import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { peersDir } from '../peers/recipe.ts';
import { capture, runLogged } from '../peers/shell.ts';
import { removeTree } from '../peers/tree.ts';

/** An unpacked kernel package: never installed on the machine. */
export interface Kernel {
  /** The bootable image. */
  readonly image: string;
  /** Paths of its modules by name (`9pnet_virtio`). */
  readonly modules: ReadonlyMap<string, string>;
}

const metaPackage = 'linux-image-amd64';

/** Debian's kernel of the machine's own suite, unpacked beside the peer root. A newer version replaces it. */
export function ensureKernel(): Kernel {
  const dir = join(peersDir, 'kernel');
  const version = currentPackage();
  const stamp = join(dir, 'package');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== version) unpack(dir, version);
  const image = only(join(dir, 'boot'), /^vmlinuz-/);
  const modules = new Map<string, string>();
  const tree = join(dir, 'lib/modules');
  for (const entry of readdirSync(tree, { recursive: true, withFileTypes: true })) {
    if (entry.name.endsWith('.ko')) modules.set(moduleName(entry.name), join(entry.parentPath, entry.name));
  }
  return { image, modules };
}

/** Paths of `names` and of all that they depend on, each after what it needs. What the image has built in has no file, and is left out. */
export function loadOrder(kernel: Kernel, names: readonly string[]): string[] {
  const ordered = new Set<string>();
  const add = (name: string): void => {
    const file = kernel.modules.get(name);
    if (file === undefined || ordered.has(file)) return;
    for (const needed of dependencies(file)) add(needed);
    ordered.add(file);
  };
  for (const name of names) add(name);
  return [...ordered];
}

/** `.modinfo` of a module has the string `depends=a,b`. */
function dependencies(file: string): string[] {
  const [, names = ''] = /\0depends=([\w,-]*)\0/.exec(readFileSync(file, 'latin1')) ?? [];
  return names
    .split(',')
    .filter((name) => name !== '')
    .map(moduleName);
}

/** Files and dependencies write `-` and `_` as they like. */
function moduleName(file: string): string {
  return basename(file, '.ko').replaceAll('-', '_');
}

function currentPackage(): string {
  const [, name] = /^\s*Depends: (linux-image-\S+)/m.exec(capture(['apt-cache', 'depends', metaPackage])) ?? [];
  if (name === undefined) throw new Error(`apt knows no ${metaPackage}: run apt-get update`);
  const [, version] = /^Version: (\S+)/m.exec(capture(['apt-cache', 'show', '--no-all-versions', name])) ?? [];
  return `${name}=${version}`;
}

function unpack(dir: string, version: string): void {
  const stage = `${dir}.stage`;
  const log = `${dir}.log`;
  for (const old of [stage, dir]) removeTree(old);
  mkdirSync(stage, { recursive: true });
  runLogged(log, ['sh', '-ec', 'cd "$0"; apt-get -q -o APT::Sandbox::User=root download "$1"', stage, version]);
  const archive = only(stage, /\.deb$/);
  runLogged(log, ['sh', '-ec', 'dpkg-deb --fsys-tarfile "$1" | tar -C "$0" -x ./boot ./lib; rm "$1"', stage, archive]);
  writeFileSync(join(stage, 'package'), version);
  renameSync(stage, dir);
}

function only(dir: string, pattern: RegExp): string {
  const [name, ...others] = readdirSync(dir).filter((entry) => pattern.test(entry));
  if (name === undefined || others.length > 0) throw new Error(`${dir}: not exactly one ${pattern}`);
  return join(dir, name);
}
