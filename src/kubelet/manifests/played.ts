import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../../base/index.ts';
import type { Manifests } from './parse.ts';

/** Where `strake kube play` leaves what it was given, for itself and for a kubelet of the same root directory, which reads it as its own manifests. */
export function playedDirectory(rootDir: string): string {
  return join(rootDir, 'played');
}

/** Keeps the objects, each in a file of its own; one of the same kind and name is replaced. Secrets are among them: the files are root's alone. */
export function keepPlayed(rootDir: string, manifests: Manifests): void {
  const directory = playedDirectory(rootDir);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  for (const [name, object] of named(manifests)) replaceFile(join(directory, name), JSON.stringify(object));
}

/** Forgets objects of these kinds and names. */
export function forgetPlayed(rootDir: string, manifests: Manifests): void {
  for (const [name] of named(manifests)) rmSync(join(playedDirectory(rootDir), name), { force: true });
}

interface Named {
  readonly metadata?: { readonly name?: string; readonly namespace?: string };
}

function named({ pods, configMaps, secrets, claims }: Manifests): [string, object][] {
  const kinds: readonly (readonly [string, readonly Named[]])[] = [
    ['Pod', pods],
    ['ConfigMap', configMaps],
    ['Secret', secrets],
    ['PersistentVolumeClaim', claims],
  ];
  return kinds.flatMap(([kind, objects]) =>
    objects.map((object): [string, object] => {
      const { name = '', namespace } = object.metadata ?? {};
      return [`${kind}.${encodeURIComponent(namespace || 'default')}.${encodeURIComponent(name)}.json`, { ...object, kind }];
    }),
  );
}
