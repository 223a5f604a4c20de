/** native/decider/system.c. A call that fails answers -errno; `form` is 0 for bytes, 1 for UTF-8, 2 for Latin-1. */
declare module 'strake:system' {
  export function open(path: string, flags: number, mode: number): number;
  export function close(descriptor: number): number;
  export function read(descriptor: number, buffer: ArrayBufferLike, offset: number, length: number): number;
  export function write(descriptor: number, buffer: ArrayBufferLike, offset: number, length: number): number;
  export function readFile(file: string | number, form: number): ArrayBuffer | string | number;
  export function readdir(path: string): string[] | number;
  export function readlink(path: string): string | number;
  export function stat(
    path: string,
    follow: boolean,
  ): readonly [dev: number, ino: number, mode: number, uid: number, gid: number, size: number, mtimeMs: number] | number;
  export function mkdir(path: string, mode: number): number;
  export function rmdir(path: string): number;
  export function unlink(path: string): number;
  export function rename(from: string, to: string): number;
  export function chmod(path: string, mode: number): number;
  export function access(path: string, mode: number): number;
  export function encode(text: string): ArrayBuffer;
  export function decode(buffer: ArrayBufferLike, offset: number, length: number, form: number): string;
  export function pid(): number;
  export function parentPid(): number;
  export function effectiveUser(): number;
  export function effectiveGroup(): number;
  export function workingDirectory(): string | number;
  export function architecture(): NodeJS.Architecture;
  export function environment(): string[];
  export function kill(pid: number, signal: number): number;
  export function exit(status: number): never;
  export function spawn(...command: readonly string[]): readonly [waitStatus: number, stdout: string, stderr: string] | number;
  export function random(buffer: ArrayBuffer): number;
  export function now(): number;
  export function sleep(ms: number): void;
  export function windowSize(descriptor: number): readonly [rows: number, columns: number] | number;
  export function attachTerminal(monitorDirectory: string): number;
  export function carryTerminal(connection: number): number;
  export function errorName(errno: number): string;
  export function errorText(errno: number): string;
  export function errnos(): Readonly<Record<string, number>>;
  export function signals(): Readonly<Record<string, number>>;
}

/** The arguments behind the program's name. */
declare const scriptArgs: readonly string[];
