import { expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { discardDirectory, sweepDiscarded } from './discard.ts';

test('a name is free at once, however often it is taken; what a crash left is swept', async () => {
  const parent = mkdtempSync(path.join(tmpdir(), 'strake-discard-'));
  try {
    const errors: unknown[] = [];
    for (let round = 0; round < 20; round++) {
      const directory = path.join(parent, 'task');
      mkdirSync(directory);
      for (let file = 0; file < 10; file++) writeFileSync(path.join(directory, String(file)), '');
      discardDirectory(directory, (error) => errors.push(error));
    }
    expect(readdirSync(parent)).not.toContain('task');
    mkdirSync(path.join(parent, '.removed-crashed/sub'), { recursive: true });
    mkdirSync(path.join(parent, 'kept'));
    expect(await sweepDiscarded(parent)).toEqual(['kept']);
    expect([readdirSync(parent), errors]).toEqual([['kept'], []]);
  } finally {
    rmSync(parent, { recursive: true, force: true });
  }
});

test('what vanishes meanwhile stops nothing', async () => {
  const parent = mkdtempSync(path.join(tmpdir(), 'strake-discard-'));
  const worker = new Worker(
    URL.createObjectURL(
      new Blob([
        `const fs = require('node:fs'); onmessage = ({ data }) => { for (let i = 0; i < 40; i++) fs.rmSync(data + '/' + i, { force: true }); postMessage(0); };`,
      ]),
    ),
  );
  try {
    for (let round = 0; round < 50; round++) {
      const directory = path.join(parent, `.removed-${round}`);
      mkdirSync(path.join(directory, 'execs'), { recursive: true });
      for (let file = 0; file < 40; file++) writeFileSync(path.join(directory, String(file)), '');
      const done = new Promise((resolve) => worker.addEventListener('message', resolve, { once: true }));
      worker.postMessage(directory);
      await sweepDiscarded(parent);
      await done;
    }
    expect(readdirSync(parent)).toEqual([]);
  } finally {
    worker.terminate();
    rmSync(parent, { recursive: true, force: true });
  }
});
