// What the tests of the stores share: a data root of their own, with the real strake-init behind file trees.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { silentLogger } from '../base/index.ts';
import { DirectLauncher } from '../kernel/index.ts';
import { type NewContainer, specType } from './containers/containers.ts';
import type { OpenFileTree } from './diff/diff.ts';
import { createOpenFileTree } from './diff/file-tree.ts';
import { type LocalCore, type LocalCoreOptions, openLocalCore } from './local-core.ts';

export const initPath = process.env['STRAKE_INIT'] ?? path.join(import.meta.dirname, '../../dist/strake-init');

export const openTestTree: OpenFileTree = createOpenFileTree(new DirectLauncher({ initPath }));

export interface TestCore extends LocalCore {
  readonly root: string;
}

/** Stores in a directory that goes with them. */
export function openTestCore(options: Partial<LocalCoreOptions> = {}): TestCore {
  const root = mkdtempSync(path.join(tmpdir(), 'strake-core-'));
  const core = openLocalCore({ root, log: silentLogger, openFileTree: openTestTree, ...options });
  return {
    ...core,
    root,
    [Symbol.dispose]: () => {
      core[Symbol.dispose]();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** A container whose snapshot has its name. */
export function testContainer(id: string): NewContainer {
  return {
    id,
    labels: {},
    image: 'i',
    runtime: { name: 'io.containerd.strake.v2', options: undefined },
    spec: { typeUrl: specType, value: Buffer.from('{}') },
    snapshotter: 'overlayfs',
    snapshotKey: id,
    sandboxId: '',
    extensions: {},
  };
}

/** The class and text of what a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return `${(error as { readonly code?: string }).code}: ${(error as Error).message}`;
  }
  return 'fulfilled';
}
