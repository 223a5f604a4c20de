import type { Op } from '../program/index.ts';

/** Flags of the write_file operation (native/ops.def). */
export const writeFlags = { ignoreMissing: 1, ignoreFailure: 2, lines: 16 } as const;

/** A write of a control file. */
export function writeControl(dir: string, file: string, value: string, flags = 0): Op {
  return { op: 'write_file', side: 'host', path: `${dir}/${file}`, data: Buffer.from(value), flags };
}

/** A write of a control file that kernels have, or else of another one. */
export function writeEither(dir: string, [file, value]: readonly [string, string], [elseFile, elseValue]: readonly [string, string], flags = 0): Op {
  return {
    op: 'write_file',
    side: 'host',
    path: `${dir}/${file}`,
    data: Buffer.from(value),
    flags,
    elsePath: `${dir}/${elseFile}`,
    elseData: Buffer.from(elseValue),
  };
}
