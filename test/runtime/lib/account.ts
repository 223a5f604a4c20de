import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RuntimeSpec } from '../../../src/oci/index.ts';
import { defaultSpec, rootlessSpec } from '../../../src/runtime/index.ts';
import type { World } from '../../lib/world.ts';

/** Who runs the runtime in a world. */
export interface Account {
  readonly uid: number;
  /** before the argv of a command of the account's */
  readonly become: readonly string[];
  /** what the account's configurations begin with */
  readonly spec: RuntimeSpec;
  prepare?(world: World): Promise<void>;
}

export const root: Account = { uid: 0, become: [], spec: defaultSpec() };

const uid = 1977;

/** The ids that /etc/subuid and /etc/subgid give the ordinary user. */
export const subordinate = { uid: 100_000, gid: 200_000, count: 65_536 } as const;

/** A user of the world alone, by files of its own over those of /etc. */
export const ordinaryUser: Account = {
  uid,
  become: ['setpriv', '--reuid', String(uid), '--regid', String(uid), '--clear-groups'],
  spec: rootlessSpec(defaultSpec(), { uid, gid: uid }),
  async prepare(world) {
    const files = {
      passwd: `${readFileSync('/etc/passwd', 'utf8')}person:x:${uid}:${uid}::/:/bin/sh\n`,
      group: `${readFileSync('/etc/group', 'utf8')}person:x:${uid}:\n`,
      subuid: `person:${subordinate.uid}:${subordinate.count}\n`,
      subgid: `person:${subordinate.gid}:${subordinate.count}\n`,
    };
    for (const [name, text] of Object.entries(files)) {
      const file = join(world.work, `etc-${name}`);
      writeFileSync(file, text, { mode: 0o644 });
      await world.output(['sh', '-c', 'test -e "/etc/$1" || : > "/etc/$1"; mount --bind "$0" "/etc/$1"', file, name]);
    }
  },
};
