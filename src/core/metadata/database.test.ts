import { expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createLineLogger } from '../../base/index.ts';
import { MetadataDatabase } from './database.ts';
import { migrations } from './migrations.ts';

function openIn(root: string): { readonly db: MetadataDatabase; readonly lines: string[] } {
  const lines: string[] = [];
  const log = createLineLogger({ level: 'debug', format: 'json', write: (line) => lines.push(line) });
  return { db: MetadataDatabase.open({ root, log, now: () => new Date(0) }), lines };
}

function place(): Disposable & { readonly root: string } {
  const root = mkdtempSync(path.join(tmpdir(), 'strake-db-'));
  return { root, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) };
}

test('what was written is there after reopening', () => {
  using at = place();
  {
    using db = openIn(at.root).db;
    db.run('insert into facts (name, value) values (?, ?)', 'a', 1);
  }
  using db = openIn(at.root).db;
  expect(db.get('select value from facts where name = ?', 'a')).toEqual({ value: 1 });
  expect(db.get('select value from facts where name = ?', 'b')).toBeUndefined();
});

test('a transaction is all or nothing', () => {
  using at = place();
  using db = openIn(at.root).db;
  expect(() =>
    db.transaction(() => {
      db.run('insert into facts (name, value) values (?, ?)', 'a', 1);
      throw new Error('no');
    }),
  ).toThrow(new Error('no'));
  expect(db.all('select * from facts')).toEqual([]);
});

test.each(['not a database at all, but longer than a header of one hundred bytes is.'.repeat(3), 'SQLite format 3\0'.padEnd(8192, 'x')])(
  'a damaged file is set aside, named in the log, and a new one begun',
  (content) => {
    using at = place();
    writeFileSync(path.join(at.root, 'metadata.db'), content);
    const { db, lines } = openIn(at.root);
    using _open = db;
    const aside = path.join(at.root, 'metadata.db.damaged-1970-01-01T000000.000Z');
    expect(db.quarantined).toBe(aside);
    expect(readdirSync(at.root)).toContain(path.basename(aside));
    expect(lines.map((line) => JSON.parse(line) as { msg: string; aside: string }).map(({ msg, aside: named }) => [msg, named])).toEqual([
      ['metadata database is damaged: set aside, a new one is begun', aside],
    ]);
    db.run('insert into facts (name, value) values (?, ?)', 'a', 1);
  },
);

test('the database of a newer build is not touched', () => {
  using at = place();
  {
    using db = openIn(at.root).db;
    db.run('pragma user_version = 99');
  }
  expect(() => openIn(at.root)).toThrow(`metadata database has version 99, this build knows ${migrations.length}`);
});
