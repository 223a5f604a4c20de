import { readdirSync } from 'node:fs';
import { run } from './process.ts';

/** What an engine makes or mounts in a container's root; the images of the tests have nothing of their own there. */
const ofEngines = new Set(['dev', 'proc', 'sys', 'run', 'etc', '.dockerenv']);
/** libarchive's mtree keywords. Of directories sizes, and of links counts are the file system's matter. */
const keywords = ['type', 'mode', 'uid', 'gid', 'link', 'size', 'time', 'device', 'inode', 'sha256'];

/**
 * A tree with every attribute of each file, as one line for its mtree facts and one for each extended attribute, by name: type, mode, owner, size and
 * digest of content, time to the nanosecond, device numbers, target, the first name of the same file, capabilities, lists of access.
 */
export async function listTree(root: string): Promise<string> {
  const names = readdirSync(root).filter((name) => !ofEngines.has(name));
  const format = `--options=${['!all', ...keywords].map((keyword) => `mtree:${keyword}`).join(',')}`;
  const [files, attributes] = await Promise.all([
    output(['bsdtar', '-C', root, '-cf', '-', '--format=mtree', format, '--', ...names]),
    output(['sh', '-c', 'cd "$0" && exec getfattr -R -h -P -d -m - -e hex -- "$@"', root, ...names]),
  ]);
  return [...fileLines(files), ...attributeLines(attributes)].sort().join('\n');
}

async function output(argv: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(argv);
  if (code !== 0 || stderr !== '') throw new Error(`${argv.join(' ')}: exit ${code}: ${stderr}`);
  return stdout;
}

function fileLines(mtree: string): string[] {
  const firstNames = new Map<string, string>();
  return mtree
    .split('\n')
    .filter((line) => line.startsWith('./'))
    .map((line) => line.slice(2).trimEnd())
    .sort()
    .map((line) => {
      const [name = ''] = line.split(' ', 1);
      const inode = / inode=(\d+)/.exec(line)?.[1] ?? '';
      const first = firstNames.get(inode);
      if (first === undefined) firstNames.set(inode, name);
      const isDirectory = line.includes(' type=dir');
      return line.replace(/ inode=\d+/, first === undefined || isDirectory ? '' : ` twin-of=${first}`).replace(/ size=\d+/, isDirectory ? '' : '$&');
    });
}

function attributeLines(getfattr: string): string[] {
  return getfattr
    .split('\n\n')
    .filter((block) => block.startsWith('# file: '))
    .flatMap((block) => {
      const [head = '', ...attributes] = block.split('\n');
      return attributes.filter((line) => line !== '').map((line) => `${head.slice('# file: '.length)} ${line}`);
    });
}
