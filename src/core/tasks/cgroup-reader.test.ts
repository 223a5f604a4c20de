import { expect, test } from 'bun:test';
import { mkdirSync, rmdirSync } from 'node:fs';
import { allDirectories, cgroupDirectories, readCgroupLayout } from '../../kernel/index.ts';
import { createCgroupReader } from './index.ts';

test('a cgroup’s figures by its path; none where there is no cgroup', async () => {
  const path = `/strake-cgroup-reader-${process.pid}`;
  const read = createCgroupReader();
  expect(await read(path)).toBeUndefined();
  const directories = allDirectories(cgroupDirectories(readCgroupLayout(), path));
  for (const directory of directories) mkdirSync(directory);
  try {
    expect((await read(path))?.cpu.usageNs).toBe(0n);
  } finally {
    for (const directory of directories) rmdirSync(directory);
  }
});
