import type { ContainerPathStat } from '../../../api/docker/index.ts';
import { StrakeError } from '../../../base/index.ts';
import type { RootTree } from '../../../core/tasks/index.ts';
import { resolveLinks } from './resolve-links.ts';

const fileType = { mask: 0o170000, fifo: 0o010000, character: 0o020000, directory: 0o040000, block: 0o060000, symlink: 0o120000, socket: 0o140000 } as const;
/** Go's io/fs.FileMode, in which Docker tells modes. */
const goMode = {
  directory: 2 ** 31,
  symlink: 1 << 27,
  device: 1 << 26,
  namedPipe: 1 << 25,
  socket: 1 << 24,
  setuid: 1 << 23,
  setgid: 1 << 22,
  character: 1 << 21,
  sticky: 1 << 20,
} as const;

/** What lies at `path` itself; with a slash or dot at its end, what it leads to. NotFound with Docker's text. */
export async function statPath(tree: RootTree, path: string, container: string): Promise<ContainerPathStat> {
  const follow = asksForDirectory(path);
  const stat = await tree.stat(path, { follow }).catch((error: unknown) => {
    throw unreachable(error, path, container);
  });
  if (follow && (stat.mode & fileType.mask) !== fileType.directory)
    throw new StrakeError('InvalidArgument', `lstat ${path}: not a directory`, { fields: { layer: 'engine', errno: 'ENOTDIR' } });
  return {
    name: baseName(path),
    size: Number(stat.sizeBytes),
    mode: goModeOf(stat.mode),
    mtime: rfc3339(stat.mtimeNs),
    linkTarget: (stat.mode & fileType.mask) === fileType.symlink ? await resolveLinks(tree, path) : '',
  };
}

/** `/`, `x/`, `x/.`: the directory is meant, not a link to it. */
export function asksForDirectory(path: string): boolean {
  return /(?:^|\/)\.?$/.test(path);
}

/** The last part of a path, `.` and `/` as they are. */
export function baseName(path: string): string {
  const trimmed = path.replace(/\/+$/, '');
  return trimmed === '' ? '/' : trimmed.slice(trimmed.lastIndexOf('/') + 1);
}

/** Docker's texts. */
export function unreachable(error: unknown, path: string, container: string): unknown {
  if (!(error instanceof StrakeError)) return error;
  const fields = { ...error.fields, layer: 'engine' };
  if (fields.errno === 'ENOENT') return new StrakeError('NotFound', `Could not find the file ${path} in container ${container}`, { cause: error, fields });
  if (fields.errno === 'ENOTDIR') return new StrakeError('InvalidArgument', `lstat ${path}: not a directory`, { cause: error, fields });
  return error;
}

export function goModeOf(mode: number): number {
  const type = {
    [fileType.directory]: goMode.directory,
    [fileType.symlink]: goMode.symlink,
    [fileType.block]: goMode.device,
    [fileType.character]: goMode.device | goMode.character,
    [fileType.fifo]: goMode.namedPipe,
    [fileType.socket]: goMode.socket,
  }[mode & fileType.mask];
  const bits = (mode & 0o4000 ? goMode.setuid : 0) | (mode & 0o2000 ? goMode.setgid : 0) | (mode & 0o1000 ? goMode.sticky : 0);
  return (type ?? 0) + bits + (mode & 0o777);
}

/** UTC, with as many digits behind the second as it has. */
function rfc3339(timeNs: bigint): string {
  const second = 1_000_000_000n;
  const fraction = ((timeNs % second) + second) % second;
  const seconds = new Date(Number((timeNs - fraction) / 1_000_000n)).toISOString().slice(0, 19);
  const digits = fraction.toString().padStart(9, '0').replace(/0+$/, '');
  return `${seconds}${digits === '' ? '' : `.${digits}`}Z`;
}
