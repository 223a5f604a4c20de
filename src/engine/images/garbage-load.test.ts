import { expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { errorMessage, isCode, silentLogger } from '../../base/index.ts';
import { openTestCore, type TestCore } from '../../core/fixtures.ts';
import { putImage, startTestRegistry } from '../../distribution/fixtures-registry.ts';
import { createPuller } from '../../distribution/index.ts';
import { digestOf, parseReference } from '../../oci/index.ts';
import { deleteImage } from './delete-image.ts';
import { Images } from './images.ts';
import { pullImage } from './pull-image.ts';

const file = (name: string) => ({ name, type: 'file' as const, mode: 0o644, content: Buffer.from(name.repeat(100)) });
const parallel = 200;
const timeoutMs = 60_000;

/** Numbers that look random and are the same in every run (a linear congruential generator, Numerical Recipes' constants). */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function imagesOf(core: TestCore): Images {
  return new Images({
    content: core.content,
    store: core.images,
    snapshots: core.snapshots,
    leases: core.leases,
    events: { publish: () => undefined },
    builtins: { create: async () => undefined },
    collectGarbage: core.collectGarbage,
    flush: () => core.flush(),
    log: silentLogger,
  });
}

/** Every image is whole: each blob hashes to its name, each layer is there, on those below it. */
async function expectWhole(core: TestCore, images: Images): Promise<number> {
  const all = await images.list();
  for (const { digests, layers } of all) {
    for (const digest of digests) expect(digestOf(await core.content.readAll(digest, 1 << 20))).toBe(digest);
    for (const [index, { chainId }] of layers.entries()) expect((await core.snapshots.stat(chainId)).parent).toBe(layers[index - 1]?.chainId);
  }
  return all.length;
}

test(
  'a garbage collection in a loop beside 200 pulls, tags and removals at once loses nothing and leaves nothing',
  async () => {
    await using registry = await startTestRegistry();
    using core = openTestCore();
    const images = imagesOf(core);
    const pull = createPuller({ ...core, retryDelayMs: 1 });
    // Eight images that share two layers, in their names and in what they are made of.
    for (let index = 0; index < 8; index++) putImage(registry, `app${index}`, [[file('base')], [file(`half${index % 2}`)], [file(`own${index}`)]]);
    const random = createRandom(7);
    const name = () => `${registry.host}/${random(3) === 0 ? `tag${random(6)}` : `app${random(8)}`}:latest`;
    const counts = { pulled: 0, tagged: 0, removed: 0, gone: 0 };
    const problems: string[] = [];
    const steps: Readonly<Record<Exclude<keyof typeof counts, 'gone'>, () => Promise<unknown>>> = {
      pulled: async () => {
        for await (const _ of pullImage(images, pull, parseReference(`${registry.host}/app${random(8)}`), { signal: AbortSignal.timeout(timeoutMs) }));
      },
      tagged: async () => await images.tag(await images.get(name()), parseReference(`${registry.host}/tag${random(6)}:latest`)),
      removed: async () => await deleteImage(images, name(), { force: true, users: () => [] }),
    };
    const work = Array.from({ length: parallel }, async () => {
      for (const [step, run] of Object.entries(steps)) {
        try {
          await run();
          counts[step as keyof typeof steps]++;
        } catch (error) {
          // The name, or what it stood for, was removed by another: the one answer that is right. A pull brings it again.
          if (isCode(error, 'NotFound') && step !== 'pulled') counts.gone++;
          else problems.push(`${step}: ${errorMessage(error)}`);
        }
      }
    });
    let working = true;
    let collections = 0;
    const collecting = (async () => {
      for (; working; collections++) await core.collectGarbage();
    })();
    await Promise.all(work);
    working = false;
    await collecting;
    expect(problems).toEqual([]);
    expect([counts.pulled, counts.tagged + counts.removed + counts.gone]).toEqual([parallel, 2 * parallel]);
    expect(counts.tagged).toBeGreaterThan(0);
    expect(counts.removed).toBeGreaterThan(0);
    expect(collections).toBeGreaterThan(10);
    // The whole collection changes nothing for what has a name.
    const before = await expectWhole(core, images);
    await core.collectGarbage({ activeSnapshots: true });
    expect(await expectWhole(core, images)).toBe(before);
    for (const { name: record } of await core.images.list()) await core.images.delete(record);
    await core.collectGarbage({ activeSnapshots: true, interruptedWork: true });
    // Files go aside: as at a start, they are waited for.
    await core.collectGarbage({ activeSnapshots: true });
    await core.snapshots.cleanup();
    const left = ['content/blobs/sha256', 'content/ingest', 'content/removed', 'snapshots'].map((directory) => readdirSync(path.join(core.root, directory)));
    expect(left).toEqual([[], [], [], []]);
  },
  timeoutMs,
);
