/**
 * The peers that Strake is measured against, in a Debian sid tree of their own.
 *
 *   bun tools/peers/peer-root.ts build             make the tree (once; minutes) and the debian image's layer
 *   bun tools/peers/peer-root.ts versions          what is in it
 *   bun tools/peers/peer-root.ts enter [CMD…]      run a command (default: a shell) in it, in namespaces of its own
 *   bun tools/peers/peer-root.ts path              where it is
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureHostTools } from './host-tools.ts';
import { debianImageRecipe, debianLayerTar, peerRecipe, peerRootDir, peersDir } from './recipe.ts';
import { capture, runLogged, withLock } from './shell.ts';
import { buildTree, insideTree, isBuilt, removeTree } from './tree.ts';

const peerPrograms = ['docker', 'dockerd', 'containerd', 'runc', 'crun', 'runsc', 'criu', 'podman', 'skopeo', 'docker-registry'] as const;

/** A whole tree runs each of its programs; one that lost a file (a cleaned cache, a full disk) is built again. */
function peersRun(): boolean {
  try {
    for (const program of peerPrograms) capture(insideTree(peerRootDir, [program, '--version']));
    return true;
  } catch (error) {
    console.error(`peer root is broken, building it again: ${error instanceof Error ? error.message : error}`);
    return false;
  }
}

/** Makes what is missing. Safe to call at the same time from several processes; returns at once when all is there. */
export async function ensurePeers(): Promise<void> {
  await withLock(join(peersDir, 'lock'), () => {
    ensureHostTools();
    if (!isBuilt(peerRootDir, peerRecipe) || !peersRun()) buildTree(peerRootDir, peerRecipe);
  });
}

/** Makes the tar of the debootstrapped image's only layer when it is missing, and gives its path. */
export async function ensureDebianLayer(): Promise<string> {
  await withLock(join(peersDir, 'lock-debian'), () => {
    const tree = join(peersDir, 'bookworm');
    if (existsSync(debianLayerTar) && isBuilt(tree, debianImageRecipe)) return;
    if (!isBuilt(tree, debianImageRecipe)) buildTree(tree, debianImageRecipe);
    rmSync(debianLayerTar, { force: true });
    runLogged(`${tree}.log`, ['tar', '-C', tree, '--sort=name', '--numeric-owner', '--one-file-system', '-cf', `${debianLayerTar}.stage`, '.']);
    renameSync(`${debianLayerTar}.stage`, debianLayerTar);
  });
  return debianLayerTar;
}

/** Name and version of each peer, from the programs themselves. */
export function peerVersions(): Record<string, string> {
  const versions: Record<string, string> = {};
  for (const program of peerPrograms) {
    const text = capture(insideTree(peerRootDir, [program, '--version']));
    versions[program] = /\d+\.\d+(\.\d+)?[^\s,]*/.exec(text)?.[0] ?? text.trim();
  }
  return versions;
}

async function enter(argv: readonly string[]): Promise<number> {
  await ensurePeers();
  const { PeerWorld } = await import('../../test/lib/peer-world.ts');
  await using peers = await PeerWorld.start();
  return await peers.interactive(argv.length > 0 ? argv : ['/bin/bash']);
}

async function main(argv: readonly string[]): Promise<number> {
  const [verb, ...rest] = argv;
  switch (verb) {
    case 'build':
      await ensurePeers();
      await ensureDebianLayer();
      return 0;
    case 'versions':
      await ensurePeers();
      console.log(JSON.stringify(peerVersions(), undefined, 2));
      return 0;
    case 'enter':
      return await enter(rest);
    case 'path':
      console.log(peerRootDir);
      return 0;
    case 'clean':
      for (const name of ['root', 'bookworm']) removeTree(join(peersDir, name));
      rmSync(debianLayerTar, { force: true });
      return 0;
    default:
      console.error('usage: peer-root.ts build | versions | enter [CMD…] | path | clean');
      return 2;
  }
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
