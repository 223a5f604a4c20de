import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../base/index.ts';
import { ManifestDirectories } from './directory.ts';
import { parseManifests } from './parse.ts';
import { forgetPlayed, keepPlayed, playedDirectory } from './played.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(os.tmpdir(), 'strake-manifests-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

const manifest = (name: string) => `{kind: Pod, metadata: {name: ${name}}, spec: {containers: []}}`;
const write = (file: string, text: string) => writeFileSync(join(directory, file), text);
const names = (directories: ManifestDirectories) => directories.read().pods.map(({ metadata }) => metadata?.name);

test('what is half written counts as what it was, and what is gone is gone', () => {
  const directories = new ManifestDirectories([directory, join(directory, 'none')], silentLogger);
  expect(names(directories)).toEqual([]);
  write('b.yaml', manifest('b'));
  write('a.json', manifest('a'));
  write('.hidden.yaml', manifest('hidden'));
  write('notes.txt', manifest('notes'));
  write('bad.yml', 'kind: [');
  expect(names(directories)).toEqual(['a', 'b']);
  write('b.yaml', '{kind: Pod, metadata: {name: ');
  expect(names(directories)).toEqual(['a', 'b']);
  write('b.yaml', manifest('changed'));
  expect(names(directories)).toEqual(['a', 'changed']);
  rmSync(join(directory, 'a.json'));
  expect(names(directories)).toEqual(['changed']);
});

test('a change is told', async () => {
  const directories = new ManifestDirectories([directory], silentLogger);
  const { promise, resolve } = Promise.withResolvers<void>();
  using _watch = directories.watch(resolve);
  write('a.yaml', manifest('a'));
  await promise;
  expect(names(directories)).toEqual(['a']);
});

test('what was played is kept by kind and name, and forgotten by them', () => {
  const played = parseManifests(`${manifest('p')}\n---\n{kind: Secret, metadata: {name: p, namespace: other}, stringData: {k: v}}`, 'f');
  keepPlayed(directory, played);
  keepPlayed(directory, parseManifests(manifest('q'), 'f'));
  const directories = new ManifestDirectories([playedDirectory(directory)], silentLogger);
  expect(names(directories)).toEqual(['p', 'q']);
  expect(directories.read().secrets).toEqual([...played.secrets]);
  forgetPlayed(directory, played);
  expect(names(directories)).toEqual(['q']);
  expect(directories.read().secrets).toEqual([]);
});
