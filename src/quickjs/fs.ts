/** The part of `node:fs` that the runtime uses, on the system calls of native/decider. */
import * as system from 'strake:system';
import { Buffer } from './buffer.ts';
import { succeeded } from './failure.ts';

export const constants = {
  F_OK: 0,
  X_OK: 1,
  W_OK: 2,
  R_OK: 4,
  O_RDONLY: 0,
  O_WRONLY: 0o1,
  O_RDWR: 0o2,
  O_CREAT: 0o100,
  O_EXCL: 0o200,
  O_TRUNC: 0o1000,
  O_APPEND: 0o2000,
  O_SYNC: 0o4010000,
  O_DIRECTORY: 0o200000,
  S_IFMT: 0o170000,
  S_IFDIR: 0o040000,
  S_IFREG: 0o100000,
} as const;

const { O_APPEND, O_CREAT, O_EXCL, O_RDONLY, O_SYNC, O_TRUNC, O_WRONLY } = constants;
const openFlags: Readonly<Record<string, number>> = {
  r: O_RDONLY,
  w: O_WRONLY | O_CREAT | O_TRUNC,
  wx: O_WRONLY | O_CREAT | O_TRUNC | O_EXCL,
  a: O_WRONLY | O_CREAT | O_APPEND,
  as: O_WRONLY | O_CREAT | O_APPEND | O_SYNC,
};
const forms: Readonly<Record<string, number>> = { utf8: 1, latin1: 2 };
const defaultFileMode = 0o666;

export function openSync(path: string, flags: string | number = 'r', mode = defaultFileMode): number {
  const numeric = typeof flags === 'number' ? flags : openFlags[flags];
  if (numeric === undefined) throw new TypeError(`openSync: the flags ${flags}`);
  return succeeded(system.open(path, numeric, mode), 'open', path);
}

export function closeSync(descriptor: number): void {
  succeeded(system.close(descriptor), 'close');
}

/** From where the descriptor stands: no position is taken. */
export function readSync(descriptor: number, buffer: Uint8Array, offset = 0, length = buffer.length - offset): number {
  return succeeded(system.read(descriptor, buffer.buffer, buffer.byteOffset + offset, length), 'read');
}

export function writeSync(descriptor: number, data: string | Uint8Array, offset = 0): number {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  return succeeded(system.write(descriptor, bytes.buffer, bytes.byteOffset + offset, bytes.length - offset), 'write');
}

export function readFileSync(file: string | number, options?: string | { readonly encoding?: string }): string | Buffer {
  const encoding = typeof options === 'object' ? options.encoding : options;
  const form = encoding === undefined ? 0 : forms[encoding];
  if (form === undefined) throw new TypeError(`readFileSync: the encoding ${encoding}`);
  const path = typeof file === 'string' ? file : undefined;
  const content = succeeded<string | ArrayBuffer>(system.readFile(file, form), 'open', path);
  return typeof content === 'string' ? content : Buffer.from(content);
}

export function writeFileSync(
  path: string,
  data: string | Uint8Array,
  { flag = 'w', mode = defaultFileMode }: { readonly flag?: string; readonly mode?: number } = {},
): void {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  const descriptor = openSync(path, flag, mode);
  try {
    for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
  } finally {
    system.close(descriptor);
  }
}

export function readdirSync(path: string, options: { readonly recursive?: boolean } = {}): string[] {
  const names = succeeded<string[]>(system.readdir(path), 'scandir', path);
  if (!options.recursive) return names;
  return names.flatMap((name) => [name, ...(isDirectory(`${path}/${name}`) ? readdirSync(`${path}/${name}`, options).map((below) => `${name}/${below}`) : [])]);
}

export interface Dirent {
  readonly name: string;
  isDirectory(): boolean;
}

/** `readdirSync` withFileTypes */
export function direntsSync(path: string): Dirent[] {
  return readdirSync(path).map((name) => ({ name, isDirectory: () => isDirectory(`${path}/${name}`) }));
}

export function readlinkSync(path: string): string {
  return succeeded<string>(system.readlink(path), 'readlink', path);
}

class Stats {
  readonly dev: number;
  readonly ino: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtimeMs: number;

  constructor([dev, ino, mode, uid, gid, size, mtimeMs]: Exclude<ReturnType<typeof system.stat>, number>) {
    this.dev = dev;
    this.ino = ino;
    this.mode = mode;
    this.uid = uid;
    this.gid = gid;
    this.size = size;
    this.mtimeMs = mtimeMs;
  }

  isFile(): boolean {
    return (this.mode & constants.S_IFMT) === constants.S_IFREG;
  }

  isDirectory(): boolean {
    return (this.mode & constants.S_IFMT) === constants.S_IFDIR;
  }
}

const missing = new Set(['ENOENT', 'ENOTDIR']);

export function statSync(path: string, options: { readonly throwIfNoEntry?: boolean } = {}): Stats | undefined {
  return statOf(path, true, 'stat', options.throwIfNoEntry ?? true);
}

function statOf(path: string, follow: boolean, syscall: string, throwIfMissing: boolean): Stats | undefined {
  const answer = system.stat(path, follow);
  if (!throwIfMissing && typeof answer === 'number' && missing.has(system.errorName(-answer))) return undefined;
  return new Stats(succeeded(answer, syscall, path));
}

function isDirectory(path: string): boolean {
  return statOf(path, false, 'lstat', false)?.isDirectory() ?? false;
}

export function existsSync(path: string): boolean {
  return system.access(path, constants.F_OK) === 0;
}

export function accessSync(path: string, mode: number = constants.F_OK): void {
  succeeded(system.access(path, mode), 'access', path);
}

export function chmodSync(path: string, mode: number): void {
  succeeded(system.chmod(path, mode), 'chmod', path);
}

export function renameSync(from: string, to: string): void {
  succeeded(system.rename(from, to), 'rename', from, to);
}

export function mkdirSync(path: string, { recursive = false, mode = 0o777 }: { readonly recursive?: boolean; readonly mode?: number } = {}): void {
  const answer = system.mkdir(path, mode);
  const code = answer < 0 ? system.errorName(-answer) : '';
  if (recursive && code === 'EEXIST' && (statOf(path, true, 'stat', false)?.isDirectory() ?? false)) return;
  if (!recursive || code !== 'ENOENT') return void succeeded(answer, 'mkdir', path);
  const parent = path.replace(/\/+[^/]*\/*$/, '');
  if (parent === '' || parent === path) return void succeeded(answer, 'mkdir', path);
  mkdirSync(parent, { recursive, mode });
  mkdirSync(path, { recursive, mode });
}

export function rmSync(path: string, { recursive = false, force = false }: { readonly recursive?: boolean; readonly force?: boolean } = {}): void {
  const answer = system.unlink(path);
  const code = answer < 0 ? system.errorName(-answer) : '';
  if (code === 'ENOENT' && force) return;
  // Linux answers EISDIR for unlink of a directory.
  if (code !== 'EISDIR' || !recursive) return void succeeded(answer, code === 'ENOENT' ? 'lstat' : 'rm', path);
  for (const name of readdirSync(path)) rmSync(`${path}/${name}`, { recursive, force });
  const removed = system.rmdir(path);
  if (removed < 0 && !(force && system.errorName(-removed) === 'ENOENT')) succeeded(removed, 'rm', path);
}

export default { openSync, closeSync, readSync, writeSync };
