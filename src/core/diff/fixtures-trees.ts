// Trees as others see them, for tests.
import { spawnSync } from 'node:child_process';

/** Every entry below `root` with all that a layer carries: type, mode, owner, time, size, link, names of one file, attributes, content. Bytes as Latin-1. */
export function listTree(root: string): string[] {
  const output = (command: string) => spawnSync('sh', ['-c', command], { cwd: root, encoding: 'latin1' }).stdout;
  const entries = output("find . -mindepth 1 ! -type s -printf '%P|%y%m|%U:%G|%T@|%s|%l|%i\\0'").split('\0').filter(Boolean).sort();
  const firstNames = new Map<string, string>();
  const lines = entries.map((line) => {
    const [name = '', mode = '', owner, time, size, target, inode = ''] = line.split('|');
    const first = firstNames.get(inode) ?? name;
    firstNames.set(inode, first);
    // Sizes of directories are the filesystem's own matter.
    return [name, mode, owner, time, mode.startsWith('d') ? '' : size, target, first].join('|');
  });
  const attributes = output("find . -mindepth 1 -exec getfattr -h -d -e hex -m '^(user|security.capability|system.posix_acl)' {} + | sort");
  const sums = output('find . -type f -exec sha256sum {} + | sort');
  return [...lines, ...attributes.split('\n'), ...sums.split('\n')];
}

/** What GNU tar lists, quoted as it likes; links with their targets. */
export function tarNames(archive: Uint8Array): string[] {
  const { stdout, status, stderr } = spawnSync('tar', ['-tvf', '-', '--full-time', '--quoting-style=literal'], { input: archive, encoding: 'utf8' });
  if (status !== 0) throw new Error(`tar: ${stderr}`);
  const lines = stdout.split('\n').filter(Boolean);
  return lines.map((line) => line.replace(/^(?:\S+\s+){5}/, '').replace(' link to ', ' -> '));
}
