import { chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { peerRootDir } from '../../tools/peers/recipe.ts';
import type { PeerWorld } from '../lib/peer-world.ts';

const uid = 1977;
const subordinate = { uids: 100_000, gids: 200_000, count: 65_536 } as const;

/** An ordinary user of the peer root, with subordinate ids. */
export const Person = {
  /** before a command's argv */
  become: ['setpriv', '--reuid', String(uid), '--regid', String(uid), '--clear-groups'],
  home: (peers: PeerWorld): string => join(peers.world.work, 'person'),
  environment: (peers: PeerWorld): Readonly<Record<string, string>> => ({
    HOME: Person.home(peers),
    XDG_RUNTIME_DIR: join(Person.home(peers), 'run'),
    USER: 'person',
  }),
};

/** Makes the user: by files of its own over those of /etc, in the peer world's mounts alone. */
export async function ordinaryUser(peers: PeerWorld): Promise<void> {
  for (const directory of [Person.home(peers), join(Person.home(peers), 'run')]) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    chownSync(directory, uid, uid);
  }
  const files = {
    passwd: `${readFileSync(join(peerRootDir, 'etc/passwd'), 'utf8')}person:x:${uid}:${uid}::${Person.home(peers)}:/bin/sh\n`,
    group: `${readFileSync(join(peerRootDir, 'etc/group'), 'utf8')}person:x:${uid}:\n`,
    subuid: `person:${subordinate.uids}:${subordinate.count}\n`,
    subgid: `person:${subordinate.gids}:${subordinate.count}\n`,
  };
  for (const [name, text] of Object.entries(files)) {
    const file = join(peers.world.work, `etc-${name}`);
    writeFileSync(file, text, { mode: 0o644 });
    await peers.output(['mount', '--bind', file, `/etc/${name}`]);
  }
}
