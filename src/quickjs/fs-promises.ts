/** The part of `node:fs/promises` that the runtime uses. Nothing else happens in this process meanwhile: the calls block. */
import { type Dirent, direntsSync, readFileSync } from './fs.ts';

export async function readFile(file: string, encoding?: string): Promise<string | Uint8Array> {
  return readFileSync(file, encoding);
}

export async function readdir(path: string, _options: { readonly withFileTypes: true }): Promise<Dirent[]> {
  return direntsSync(path);
}
