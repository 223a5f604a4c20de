import { StrakeError } from '../../base/index.ts';
import type { EngineResponse } from '../../docker-client/index.ts';
import type { Context } from '../context.ts';

/** X-Docker-Container-Path-Stat. */
export interface ContainerStat {
  readonly name: string;
  readonly size: number;
  /** Go's io/fs.FileMode. */
  readonly mode: number;
  readonly linkTarget: string;
}

/** Bits of Go's io/fs.FileMode. */
const modeBits = { directory: 2 ** 31, symlink: 2 ** 27, irregular: 2 ** 26 + 2 ** 25 + 2 ** 24 + 2 ** 19 } as const;

export function archivePath(container: string): string {
  return `/containers/${encodeURIComponent(container)}/archive`;
}

/** Undefined when there is nothing, as when the path cannot be looked at: the copy itself says why. */
export async function statInContainer({ client }: Context, container: string, path: string): Promise<ContainerStat | undefined> {
  try {
    return statOf(await client.call('HEAD', archivePath(container), { query: { path } }));
  } catch (error) {
    if (error instanceof StrakeError && error.fields['status'] !== undefined) return undefined;
    throw error;
  }
}

export function statOf(response: EngineResponse): ContainerStat {
  const header = response.header('X-Docker-Container-Path-Stat');
  if (header === undefined) throw new StrakeError('DataLoss', 'the engine did not say what the path is', { fields: { layer: 'cli' } });
  return JSON.parse(Buffer.from(header, 'base64').toString('utf8')) as ContainerStat;
}

export function isDirectory({ mode }: ContainerStat): boolean {
  return mode >= modeBits.directory;
}

export function isSymlink({ mode }: ContainerStat): boolean {
  return (mode & modeBits.symlink) !== 0;
}

export function isIrregular({ mode }: ContainerStat): boolean {
  return (mode & modeBits.irregular) !== 0;
}
