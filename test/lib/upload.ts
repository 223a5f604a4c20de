import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type PackedImage, writePacked } from '../fixtures/pack-image.ts';
import type { World } from './world.ts';

const uploader = join(import.meta.dirname, '../fixtures/upload-image.ts');

/** Has a registry in the world hold an image: `repository` is `HOST/NAME`. */
export async function upload(world: World, packed: PackedImage, repository: string, ...tags: readonly string[]): Promise<void> {
  const dir = mkdtempSync(join(world.work, 'upload-'));
  writePacked(dir, packed);
  const slash = repository.indexOf('/');
  const url = `http://${repository.slice(0, slash)}/v2${repository.slice(slash)}`;
  for (const tag of tags) await world.output([process.execPath, uploader, dir, url, tag]);
  rmSync(dir, { recursive: true });
}
