import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDebianLayer } from '../../tools/peers/peer-root.ts';
import { peersDir } from '../../tools/peers/recipe.ts';
import { capture, runLogged, withLock } from '../../tools/peers/shell.ts';
import { insideTree } from '../../tools/peers/tree.ts';

/**
 * Programs of Debian bookworm that the images have beside the static busybox, and the packages of their libraries. The busybox that is linked with them looks for
 * commands in PATH, where the static one runs its own; and it is old enough to say what critest waits for (`/bin/sh: ls: Permission denied`, without a line).
 */
const programs = { nginx: 'usr/sbin/nginx', shell: 'bin/busybox' } as const;
const packages = ['nginx', 'busybox', 'libc6', 'libcrypt1', 'libpcre2-8-0', 'libssl3', 'zlib1g'];

export type ProgramName = keyof typeof programs;

const layerTar = (name: ProgramName): string => join(peersDir, `program-${name}.tar`);

/** The tars of layers with one program each and what it is linked with; made once, and kept beside the peer root. The shell is `bin/sh`. */
export async function programLayers(): Promise<Readonly<Record<ProgramName, Buffer>>> {
  await ensureDebianLayer();
  await withLock(join(peersDir, 'lock-programs'), () => {
    if (!existsSync(layerTar('nginx')) || !existsSync(layerTar('shell'))) makeLayers(join(peersDir, 'programs.log'));
  });
  return { nginx: readFileSync(layerTar('nginx')), shell: readFileSync(layerTar('shell')) };
}

function makeLayers(log: string): void {
  const stage = join(peersDir, 'programs.stage');
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  download(log, stage);
  pack(log, stage, 'nginx', []);
  pack(log, stage, 'shell', ['--transform', 's,^bin/busybox$,bin/sh,']);
  rmSync(stage, { recursive: true });
}

/** Unpacks the packages in `stage`. */
function download(log: string, stage: string): void {
  const tree = join(peersDir, 'bookworm');
  const inside = '/var/tmp/packages';
  rmSync(join(tree, inside), { recursive: true, force: true });
  mkdirSync(join(tree, inside));
  try {
    const apt = ['apt-get', '-q', '-o', 'APT::Sandbox::User=root', '-o', 'Acquire::Check-Valid-Until=false'];
    runLogged(log, insideTree(tree, [...apt, 'update']));
    runLogged(log, insideTree(tree, ['sh', '-ec', 'cd "$0"; exec "$@"', inside, ...apt, 'download', ...packages]));
    for (const name of readdirSync(join(tree, inside))) runLogged(log, ['dpkg-deb', '--extract', join(tree, inside, name), stage]);
  } finally {
    rmSync(join(tree, inside), { recursive: true });
  }
}

/** The program, the libraries that its loader names, and that loader: as files, whatever links lead to them. */
function pack(log: string, stage: string, name: ProgramName, flags: readonly string[]): void {
  const [loader] = globSync('lib*/ld-linux-*.so.*', { cwd: stage });
  const listed = capture(['chroot', stage, `/${loader}`, '--list', `/${programs[name]}`]);
  const libraries = [...listed.matchAll(/(?:=> |^\s*)\/(\S+)/gm)].map(([, file]) => file ?? '');
  const files = [...new Set([programs[name], ...libraries])].sort();
  runLogged(log, ['tar', '-C', stage, '--owner=0', '--group=0', '--dereference', '--hard-dereference', ...flags, '-cf', `${layerTar(name)}.stage`, ...files]);
  renameSync(`${layerTar(name)}.stage`, layerTar(name));
}
