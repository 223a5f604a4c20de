/** src/quickjs against Node's own modules: the same questions, on Bun and in a decider, with the same answers. */
import { expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildDecider } from '../../tools/decider.ts';
import { run } from '../lib/process.ts';

test('src/quickjs answers as Node does', async () => {
  const work = mkdtempSync(path.join(tmpdir(), 'strake-decider-'));
  try {
    const main = path.join(import.meta.dirname, 'probe.ts');
    await buildDecider({ main, work: path.join(work, 'build'), out: work, define: {} });
    const ask = async (command: readonly string[]) => {
      // The same path for both: answers name it.
      const root = path.join(work, 'root');
      rmSync(root, { recursive: true, force: true });
      mkdirSync(root);
      const { stdout, stderr, code } = await run(['sh', '-c', 'exec 9</dev/null "$@"', 'sh', 'env', 'PROBE=a=b', ...command, root]);
      expect([code, stderr]).toEqual([0, '']);
      return JSON.parse(stdout) as unknown;
    };
    const asked = await ask([path.join(work, 'strake-decider')]);
    expect(asked).toEqual(await ask([process.execPath, main]));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
});
