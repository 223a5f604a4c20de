import { afterAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { StateStore } from '../state/store.ts';
import { savedFilter, saveFilter } from './saved-filter.ts';

const root = mkdtempSync(path.join(tmpdir(), 'strake-filter-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const store = new StateStore(root);
const config = '{"hostname":"ü"}';
store.claim('c', config);

test('a filter is used again for the very same configuration alone', () => {
  expect(savedFilter(store, 'c', config)).toBe(undefined);
  saveFilter(store, 'c', config, [{ op: 'setsid', side: 'init' }]);
  expect(savedFilter(store, 'c', config)).toBe(undefined);
  saveFilter(store, 'c', config, [{ op: 'seccomp', side: 'init', flags: 12, filter: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) }]);
  expect(savedFilter(store, 'c', config)).toEqual({ filter: Buffer.of(1, 2, 3, 4, 5, 6, 7, 8), flags: 12, notifies: true });
  for (const other of ['', `${config} `, '{"hostname":"u"}']) expect(savedFilter(store, 'c', other)).toBe(undefined);
});

test('a damaged file is as none', () => {
  const file = path.join(root, 'c/seccomp.bpf');
  truncateSync(file, 20);
  expect(savedFilter(store, 'c', config)).toBe(undefined);
  for (const text of ['', 'STRKBPF1', 'STRKBPF0'.padEnd(40, ' ')]) {
    writeFileSync(file, text);
    expect(savedFilter(store, 'c', config)).toBe(undefined);
  }
});
