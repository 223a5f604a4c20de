import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { strakeBinary } from './engine.ts';
import type { Running } from './process.ts';
import type { World } from './world.ts';

/** Starts `strake registry` in a world, on an empty directory of its own; resolves when it listens. */
export async function startStrakeRegistry(world: World, address: string, flags: readonly string[] = []): Promise<Running> {
  const root = join(world.work, `registry-${address.replace(/\W/g, '-')}`);
  mkdirSync(root, { recursive: true });
  const registry = world.spawn([strakeBinary, 'registry', '--addr', address, '--root', root, ...flags]);
  await registry.output(/registry listens on/, { stream: 'stderr' });
  return registry;
}
