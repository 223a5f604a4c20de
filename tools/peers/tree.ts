import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TreeRecipe } from './recipe.ts';
import { mirror, recipeHash } from './recipe.ts';
import { capture, runLogged } from './shell.ts';

/** No service may start inside a tree: invoke-rc.d asks this file and takes 101 as "no" (Debian's policy-rc.d interface). */
const policyRcD = '#!/bin/sh\nexit 101\n';

/** Whether `dir` was completely made from this very recipe. */
export function isBuilt(dir: string, recipe: TreeRecipe): boolean {
  const stamp = `${dir}.stamp`;
  return existsSync(stamp) && existsSync(dir) && readFileSync(stamp, 'utf8').trim() === recipeHash(recipe);
}

/**
 * Makes `dir` by debootstrap and apt, from nothing: built beside it and renamed, the stamp written last, so that a tree
 * that was interrupted is never taken for a whole one.
 */
export function buildTree(dir: string, recipe: TreeRecipe): void {
  const stage = `${dir}.stage`;
  const log = `${dir}.log`;
  rmSync(`${dir}.stamp`, { force: true });
  rmSync(log, { force: true });
  for (const old of [stage, dir]) removeTree(old);
  mkdirSync(stage, { recursive: true });
  runLogged(log, ['debootstrap', '--variant=minbase', recipe.suite, stage, ...(mirror === undefined ? [] : [mirror])]);
  writeFileSync(join(stage, 'usr/sbin/policy-rc.d'), policyRcD, { mode: 0o755 });
  copyFileSync('/etc/resolv.conf', join(stage, 'etc/resolv.conf'));
  copyFileSync('/etc/hosts', join(stage, 'etc/hosts'));
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
  const inside = insideTree(stage, []);
  // A mirror that lags keeps sid's Release past its Valid-Until; the signature is still checked.
  const options = ['Dpkg::Use-Pty=0', 'APT::Sandbox::User=root', 'Acquire::Check-Valid-Until=false', 'Dpkg::Options::=--force-unsafe-io'];
  const apt = [...inside, 'apt-get', '-q', '-y', ...options.flatMap((option) => ['-o', option])];
  runLogged(log, [...apt, 'update'], env);
  runLogged(log, [...apt, 'install', '--no-install-recommends', ...recipe.packages], env);
  runLogged(log, [...inside, 'apt-get', 'clean']);
  renameSync(stage, dir);
  writeFileSync(`${dir}.stamp`, `${recipeHash(recipe)}\n`);
}

/** The argv that runs a command in a tree. Maintainer scripts and crun need /proc: it is mounted in a namespace of the command's own. */
export function insideTree(dir: string, argv: readonly string[]): string[] {
  const mountThenChroot = 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"';
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', mountThenChroot, dir, ...argv];
}

/** Deletes a tree; `--one-file-system` so that a mount left in it by accident is never followed. */
export function removeTree(dir: string): void {
  if (existsSync(dir)) capture(['rm', '-rf', '--one-file-system', '--', dir]);
}
