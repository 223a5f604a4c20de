import { expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { chainIds } from '../oci/index.ts';
import { putImage, startTestRegistry } from './fixtures-registry.ts';
import type { PullProgress } from './progress.ts';

const file = (name: string, content: Uint8Array) => ({ name, type: 'file' as const, mode: 0o644, content });
const layers = [2, 3].map((mib) => [file(`random${mib}`, randomBytes(mib << 20))]);

/** Kills the process at the progress that `isEnough`; answers what it told. */
async function pull(root: string, reference: string, isEnough: (progress: PullProgress) => boolean): Promise<readonly PullProgress[]> {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'fixtures-pull-process.ts'), root, reference], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const told: PullProgress[] = [];
  for await (const line of createInterface(child.stdout)) {
    told.push(JSON.parse(line) as PullProgress);
    if (isEnough(told.at(-1) as PullProgress)) child.kill('SIGKILL');
  }
  await exited;
  return told;
}

test.each<[string, (progress: PullProgress) => boolean]>([
  ['documents', ({ status }) => status.startsWith('Pulling from')],
  ['layers are listed', ({ status }) => status === 'Pulling fs layer'],
  ['a part', ({ status, progressDetail }) => status === 'Downloading' && (progressDetail?.current ?? 0) > 0],
  ['a whole blob', ({ status }) => status === 'Download complete'],
  ['a layer', ({ status }) => status === 'Pull complete'],
  ['the digest', ({ status }) => status.startsWith('Digest')],
])('a pull that was killed after %s goes on', async (_name, isEnough) => {
  await using registry = await startTestRegistry();
  const image = putImage(registry, 'app', layers);
  const reference = `${registry.host}/app`;
  const root = mkdtempSync(path.join(tmpdir(), 'strake-kill-'));
  try {
    const first = await pull(root, reference, isEnough);
    const complete = first.filter(({ status }) => status === 'Download complete').map(({ id }) => id ?? '?');
    expect(first.some(isEnough)).toBe(true);
    registry.requests.length = 0;
    const second = await pull(root, reference, () => false);
    const blobs = [image.manifest, image.config, ...image.layers].map(({ digest }) => digest).sort();
    const snapshots = chainIds(image.diffIds)
      .map((chainId) => `committed ${chainId}`)
      .sort();
    expect(second.at(-1) as unknown).toEqual({ digest: image.manifest.digest, ingests: 0, blobs, snapshots });
    for (const id of complete) expect(registry.requests.filter((request) => request.includes(`/blobs/sha256:${id}`))).toEqual([]);
    const begun = first.filter(({ status, progressDetail }) => status === 'Downloading' && (progressDetail?.current ?? 0) > 0).map(({ id }) => id ?? '?');
    for (const request of registry.requests.filter((text) => begun.some((id) => text.includes(id)))) expect(request).toMatch(/ bytes=[1-9]\d*-\d+$/);
    for (const { digest } of image.layers) expect(registry.requests.filter((request) => request.includes(digest)).length).toBeLessThanOrEqual(1);
  } finally {
    rmSync(root, { recursive: true });
  }
});
