import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { peerRootDir, peersDir } from '../../tools/peers/recipe.ts';
import { runLogged, withLock } from '../../tools/peers/shell.ts';
import { insideTree } from '../../tools/peers/tree.ts';

/** Debian's nginx, and what it is linked with. */
const packages = ['nginx', 'libc6', 'libcrypt1', 'libpcre2-8-0', 'libssl3t64', 'zlib1g', 'libzstd1'];
const layerTar = join(peersDir, 'nginx.tar');

/** The tar of a layer with nginx and its libraries, from the packages of the peer root's Debian; made once, and kept beside the peer root. */
export async function nginxLayer(): Promise<Buffer> {
  await withLock(join(peersDir, 'lock-nginx'), () => {
    if (!existsSync(layerTar)) makeLayer(`${layerTar}.log`);
  });
  return readFileSync(layerTar);
}

function makeLayer(log: string): void {
  const stage = join(peersDir, 'nginx.stage');
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(join(stage, 'tree'), { recursive: true });
  // Where apt of the peer root downloads to, seen from in there.
  const inside = `/var/tmp/strake-nginx-${process.pid}`;
  const downloaded = join(peerRootDir, inside);
  mkdirSync(downloaded);
  try {
    const options = ['APT::Sandbox::User=root', 'Acquire::Check-Valid-Until=false'].flatMap((option) => ['-o', option]);
    runLogged(log, insideTree(peerRootDir, ['apt-get', '-q', ...options, 'update']));
    runLogged(log, insideTree(peerRootDir, ['sh', '-ec', 'cd "$0"; exec "$@"', inside, 'apt-get', '-q', ...options, 'download', ...packages]));
    for (const name of readdirSync(downloaded)) runLogged(log, ['dpkg-deb', '--extract', join(downloaded, name), join(stage, 'tree')]);
  } finally {
    rmSync(downloaded, { recursive: true });
  }
  const parts = ['usr/sbin', 'usr/lib', 'usr/lib64'].filter((part) => existsSync(join(stage, 'tree', part)));
  runLogged(log, ['tar', '-C', join(stage, 'tree'), '--sort=name', '--owner=0', '--group=0', '-cf', join(stage, 'layer.tar'), ...parts]);
  renameSync(join(stage, 'layer.tar'), layerTar);
  rmSync(stage, { recursive: true });
}
