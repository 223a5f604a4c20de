import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { errorMessage, StrakeError } from '../../base/index.ts';
import type { ContainerStatus } from '../../oci/index.ts';
import type { StateStore, StoredContainer } from '../state/store.ts';
import { containerStatus } from './status.ts';

/** What `state` and `list --format json` print: the specification's State and runc's additions, in runc's order. */
export interface PrintedState {
  readonly ociVersion: string;
  readonly id: string;
  readonly pid: number;
  readonly status: ContainerStatus;
  readonly bundle: string;
  readonly rootfs: string;
  readonly created: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly owner: string;
}

export function readState(store: StateStore, id: string): PrintedState {
  return printedState(store, store.load(id));
}

/**
 * Every container, with the owner of its directory; one that cannot be read is told to `onBad` and left out. Without a root that is missing: none, unless it was
 * asked for by name.
 */
export function listStates(store: StateStore, rootIsGiven: boolean, onBad: (id: string, message: string) => void): readonly PrintedState[] {
  if (rootIsGiven && !existsSync(store.root))
    throw new StrakeError('NotFound', `open ${store.root}: no such file or directory`, { fields: { layer: 'runtime', root: store.root } });
  return store.list().flatMap((id) => {
    try {
      return [{ ...readState(store, id), owner: userName(statSync(store.directory(id)).uid) }];
    } catch (error) {
      // One that was deleted meanwhile.
      if (existsSync(path.join(store.root, id))) onBad(id, errorMessage(error));
      return [];
    }
  });
}

/** The name in the host's /etc/passwd, else `#UID`. */
function userName(uid: number): string {
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  const line = lines.find((text) => text.split(':')[2] === String(uid));
  return line?.split(':')[0] ?? `#${uid}`;
}

function printedState(store: StateStore, container: StoredContainer): PrintedState {
  const status = containerStatus(store, container);
  const { ociVersion, id, bundle, rootfs, created, annotations, owner } = container;
  return {
    ociVersion,
    id,
    pid: status === 'stopped' ? 0 : (container.init?.pid ?? 0),
    status,
    bundle,
    rootfs,
    created,
    ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    owner,
  };
}
