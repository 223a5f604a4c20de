import { StrakeError } from '../../../base/index.ts';
import { blockBytes } from './header.ts';

export interface TarFile {
  /** relative, without a leading slash */
  readonly name: string;
  readonly type: 'file' | 'directory' | 'symlink';
  readonly mode: number;
  readonly content?: Uint8Array;
  readonly linkName?: string;
}

/** A ustar archive in memory: owner root, times zero, so that equal content has equal digests. For small trees; names up to 100 bytes. */
export function writeTar(files: readonly TarFile[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const file of files) {
    const content = file.content ?? new Uint8Array();
    parts.push(header(file, content.length), content, new Uint8Array((blockBytes - (content.length % blockBytes)) % blockBytes));
  }
  parts.push(new Uint8Array(2 * blockBytes));
  return Buffer.concat(parts);
}

function header({ name, type, mode, linkName = '' }: TarFile, sizeBytes: number): Buffer {
  if (Buffer.byteLength(name) > 100 || Buffer.byteLength(linkName) > 100)
    throw new StrakeError('InvalidArgument', `name ${JSON.stringify(name)} is too long for a ustar header`, { fields: { layer: 'core' } });
  const block = Buffer.alloc(blockBytes);
  const octal = (value: number, start: number, digits: number) => block.write(`${value.toString(8).padStart(digits, '0')}\0`, start, 'latin1');
  block.write(name, 0);
  octal(mode, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(sizeBytes, 124, 11);
  octal(0, 136, 11);
  block.fill(0x20, 148, 156);
  block.write({ file: '0', symlink: '2', directory: '5' }[type], 156, 'latin1');
  block.write(linkName, 157);
  block.write('ustar\x0000', 257, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}
