import { expect, test } from 'bun:test';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { chainIds } from '../oci/index.ts';
import { putImage, startTestRegistry, type TestImage } from './fixtures-registry.ts';
import type { PullProgress } from './progress.ts';

const file = (name: string, content: Uint8Array) => ({ name, type: 'file' as const, mode: 0o644, content });
/** Of a process's life that is cut short; what must hold does so wherever that is. */
const rounds = 6;
const layers = [2, 3].map((mib) => [file(`random${mib}`, randomBytes(mib << 20))]);

/** A process that pulls; `watch` may end it at what it tells. Answers that. */
async function pull(
  root: string,
  reference: string,
  watch: (progress: PullProgress, child: ChildProcess) => void,
  killAfterMs?: number,
): Promise<readonly PullProgress[]> {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'fixtures-pull-process.ts'), root, reference], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const timer = killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  const told: PullProgress[] = [];
  for await (const line of createInterface(child.stdout)) {
    const progress = parseLine(line);
    if (progress === undefined) continue;
    told.push(progress);
    watch(progress, child);
  }
  await exited;
  clearTimeout(timer);
  return told;
}

/** Of a process that was killed the last line may be half there. */
function parseLine(line: string): PullProgress | undefined {
  try {
    return JSON.parse(line) as PullProgress;
  } catch {
    return undefined;
  }
}

/** What a pull says at its end when all is there, once, and nothing else. */
function whole({ manifest, config, layers: blobs, diffIds }: TestImage): unknown {
  return {
    digest: manifest.digest,
    ingests: 0,
    blobs: [manifest, config, ...blobs].map(({ digest }) => digest).sort(),
    snapshots: chainIds(diffIds)
      .map((chainId) => `committed ${chainId}`)
      .sort(),
  };
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
    const first = await pull(root, reference, (progress, child) => isEnough(progress) && child.kill('SIGKILL'));
    const complete = first.filter(({ status }) => status === 'Download complete').map(({ id }) => id ?? '?');
    expect(first.some(isEnough)).toBe(true);
    registry.requests.length = 0;
    const second = await pull(root, reference, () => undefined);
    expect(second.at(-1) as unknown).toEqual(whole(image));
    for (const id of complete) expect(registry.requests.filter((request) => request.includes(`/blobs/sha256:${id}`))).toEqual([]);
    const begun = first.filter(({ status, progressDetail }) => status === 'Downloading' && (progressDetail?.current ?? 0) > 0).map(({ id }) => id ?? '?');
    for (const request of registry.requests.filter((text) => begun.some((id) => text.includes(id)))) expect(request).toMatch(/ bytes=[1-9]\d*-\d+$/);
    for (const { digest } of image.layers) expect(registry.requests.filter((request) => request.includes(digest)).length).toBeLessThanOrEqual(1);
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('a pull that was killed at any time, again and again, goes on', async () => {
  await using registry = await startTestRegistry();
  const image = putImage(registry, 'app', layers);
  const reference = `${registry.host}/app`;
  const directory = mkdtempSync(path.join(tmpdir(), 'strake-kill-'));
  try {
    const begun = performance.now();
    await pull(path.join(directory, 'measured'), reference, () => undefined);
    const wholeMs = performance.now() - begun;
    for (let round = 0; round < rounds; round++) {
      const root = path.join(directory, String(round));
      const kills = Array.from({ length: 1 + (round % 3) }, () => Math.random() * wholeMs);
      const complete = new Set<string>();
      registry.requests.length = 0;
      const seen = ({ status, id }: PullProgress) => {
        if (status === 'Download complete' && id !== undefined) complete.add(id);
      };
      for (const killAfterMs of kills) {
        const fetched = [...complete];
        registry.requests.length = 0;
        await pull(root, reference, seen, killAfterMs);
        expect(fetched.filter((id) => registry.requests.some((request) => request.includes(`/blobs/sha256:${id}`)))).toEqual([]);
      }
      const last = await pull(root, reference, () => undefined);
      expect([last.at(-1) as unknown, `killed after ${kills.join(', ')} ms`]).toEqual([whole(image), expect.any(String) as string]);
      rmSync(root, { recursive: true });
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});
