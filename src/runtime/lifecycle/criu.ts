import { accessSync, constants, mkdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import path from 'node:path';
import { StrakeError } from '../../base/index.ts';
import { cgroupModes } from '../checkpoint/criu-request.ts';
import { resolveLinks } from '../checkpoint/resolve-link.ts';
import type { RuntimeContext } from './context.ts';

/** Descriptors of our front that criu is told about: far from those that anybody has open. */
export const firstFile = 200;
/** What standard input, output and error were, in the image's directory: runc's name and shape. */
export const descriptorsFile = 'descriptors.json';
const quotedLines = 20;

/** What checkpoint and restore have in common. Paths are absolute. */
export interface CriuRequest {
  readonly id: string;
  readonly imagePath: string;
  readonly workPath?: string | undefined;
  readonly manageCgroupsMode: string;
  readonly flags: {
    readonly tcpEstablished: boolean;
    readonly extUnixSk: boolean;
    readonly shellJob: boolean;
    readonly fileLocks: boolean;
    readonly autoDedup: boolean;
    readonly lazyPages: boolean;
  };
}

/** The criu in $PATH. */
export function findCriu(): string {
  if (process.geteuid?.() !== 0) throw refuse('criu needs root: an ordinary user cannot checkpoint or restore a container');
  for (const directory of (process.env['PATH'] ?? '').split(':')) {
    const file = path.resolve(directory, 'criu');
    try {
      accessSync(file, constants.X_OK);
      if (directory !== '' && statSync(file).isFile()) return file;
    } catch {
      // Not in this one.
    }
  }
  throw refuse('criu is not in $PATH: install it (the package is called criu) to checkpoint and restore containers');
}

export function cgroupMode(name: string): number {
  const mode = Object.hasOwn(cgroupModes, name) ? cgroupModes[name] : undefined;
  if (mode === undefined) throw refuse(`invalid manage-cgroups-mode ${JSON.stringify(name)}: one of ${Object.keys(cgroupModes).join(', ')}`);
  return mode;
}

/** The files that criu is given: the image's directory, and the one for its log and other files. */
export function criuDirectories({ imagePath, workPath }: Pick<CriuRequest, 'imagePath' | 'workPath'>): {
  readonly files: readonly string[];
  readonly imagesDirFd: number;
  readonly workDirFd?: number;
} {
  for (const directory of [imagePath, ...(workPath === undefined ? [] : [workPath])]) mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (workPath === undefined) return { files: [imagePath], imagesDirFd: firstFile };
  return { files: [imagePath, workPath], imagesDirFd: firstFile, workDirFd: firstFile + 1 };
}

/** The container's own file of criu options (annotation org.criu.config; empty: none), else the one for all of runc's. */
export function configFileOf(annotations: Readonly<Record<string, string>>): string | undefined {
  const own = annotations['org.criu.config'];
  return own === undefined ? '/etc/criu/runc.conf' : own || undefined;
}

/** Names below a root, with links followed inside of it. */
export function resolverBelow(root: string): (name: string) => string {
  const readLink = (name: string) => {
    try {
      return readlinkSync(path.join(root, name));
    } catch {
      return undefined;
    }
  };
  return (name) => resolveLinks(name, readLink);
}

/** Runs `operation`; when it fails, what criu's log says of it is told first. */
export function withCriuLog<T>({ warn }: RuntimeContext, file: string, operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    for (const line of errorsIn(file)) warn(`${path.basename(file)}: ${line}`);
    throw error;
  }
}

function errorsIn(file: string): readonly string[] {
  try {
    const lines = readFileSync(file, 'utf8').split('\n');
    return lines.filter((line) => line.includes('Error')).slice(-quotedLines);
  } catch {
    return [];
  }
}

export function refuse(message: string): StrakeError {
  return new StrakeError('FailedPrecondition', message, { fields: { layer: 'runtime' } });
}
