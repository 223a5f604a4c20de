import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { criLinux } from '../../api/cri/index.ts';
import { StrakeError } from '../../base/index.ts';
import type { UserNamespace } from '../config/sandbox.ts';

/** Every pod has as many ids as a machine without user namespaces; Kubernetes' own kubelet does the same. */
const idsOfPod = 65_536;
/** The first block is the machine's own; user ids end at 2^32. */
const maxBlock = 65_534;
const fileName = 'userns';

/** Which ids of the machine pods with a user namespace of their own have: a block each, written down in the pod's directory, which it goes with. */
export class UserNamespaces {
  readonly #podsDir: string;

  constructor(rootDir: string) {
    this.#podsDir = join(rootDir, 'pods');
  }

  /** The pod's, now and later. @throws StrakeError ResourceExhausted */
  of(uid: string): UserNamespace {
    const known = this.#block(uid);
    if (known !== undefined) return namespaceOf(known);
    mkdirSync(this.#podsDir, { recursive: true });
    const taken = new Set(readdirSync(this.#podsDir).map((other) => this.#block(other)));
    for (let block = 1; block <= maxBlock; block++) {
      if (taken.has(block)) continue;
      mkdirSync(join(this.#podsDir, uid), { recursive: true, mode: 0o750 });
      writeFileSync(join(this.#podsDir, uid, fileName), `${block}\n`);
      return namespaceOf(block);
    }
    throw new StrakeError('ResourceExhausted', 'all user ids of the machine are given to pods', { fields: { layer: 'kubelet' } });
  }

  #block(uid: string): number | undefined {
    try {
      const block = Number(readFileSync(join(this.#podsDir, uid, fileName), 'utf8'));
      return Number.isInteger(block) && block >= 1 && block <= maxBlock ? block : undefined;
    } catch {
      return undefined;
    }
  }
}

function namespaceOf(block: number): UserNamespace {
  const ids = () => [{ containerId: 0, hostId: block * idsOfPod, length: idsOfPod }];
  return { mode: criLinux.NamespaceMode.POD, uids: ids(), gids: ids() };
}
