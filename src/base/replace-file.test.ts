import { expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { replaceFile } from './replace-file.ts';

test('whoever reads meanwhile, or after a kill, sees one of the two, whole', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'replace-file-'));
  try {
    const file = path.join(directory, 'record');
    const size = 4 << 20;
    replaceFile(file, 'a'.repeat(size));
    const script = `import { replaceFile } from ${JSON.stringify(path.join(import.meta.dir, 'replace-file.ts'))};
      for (;;) for (const letter of 'ab') replaceFile(${JSON.stringify(file)}, letter.repeat(${size}));`;
    const writer = Bun.spawn([process.execPath, '-e', script], { stdio: ['ignore', 'ignore', 'inherit'] });
    const seen = new Set<string>();
    const look = () => {
      const text = readFileSync(file, 'utf8');
      expect([text.length, /^(a+|b+)$/.test(text)]).toEqual([size, true]);
      seen.add(text.slice(0, 1));
    };
    while (seen.size < 2) look();
    for (let count = 0; count < 20; count++) look();
    writer.kill('SIGKILL');
    await writer.exited;
    look();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    replaceFile(file, 'after');
    expect([readFileSync(file, 'utf8'), readdirSync(directory)]).toEqual(['after', ['record']]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
