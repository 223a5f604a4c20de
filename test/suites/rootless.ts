import type { Place } from '../lib/world.ts';

/** The features that runc's tests/rootless.sh turns on and off; every combination of them is a run of its own. */
export interface RootlessFeatures {
  /** newuidmap, newgidmap and subordinate ids */
  readonly idmap: boolean;
  /** a cgroup that was given to the user */
  readonly cgroup: boolean;
}

const user = { name: 'rootless', id: 1977, home: '/run/rootless' } as const;
/** Where its tests have their own directory and cgroups. */
const cgroupPath = '/runc-cgroups-integration-test';
/** tests/rootless.sh: the maps that it adds have container id 1000 at the first one, and a directory belongs to this user of the container. */
const ids = { uid: 100_000, gid: 200_000, count: 65_536, firstInside: 1000, owner: 1024 } as const;

/** `idmap,cgroup`, either or neither. */
export function parseFeatures(text: string): RootlessFeatures {
  const names = text.split(',').filter((name) => name !== '');
  const unknown = names.find((name) => name !== 'idmap' && name !== 'cgroup');
  if (unknown !== undefined) throw new Error(`--rootless ${text}: ${unknown} is none of idmap, cgroup`);
  return { idmap: names.includes('idmap'), cgroup: names.includes('cgroup') };
}

export const becomeRootless: readonly string[] = ['setpriv', '--reuid', String(user.id), '--regid', String(user.id), '--init-groups'];

/** What the suite's helpers want to know of the features. */
export function rootlessEnvironment({ idmap, cgroup }: RootlessFeatures): Readonly<Record<string, string>> {
  return {
    HOME: user.home,
    XDG_RUNTIME_DIR: `${user.home}/run`,
    ROOTLESS_FEATURES: [...(idmap ? ['idmap'] : []), ...(cgroup ? ['cgroup'] : [])].join('+'),
    ...(idmap ? idmapEnvironment : {}),
  };
}

const idmapEnvironment = {
  ROOTLESS_UIDMAP_START: String(ids.uid),
  ROOTLESS_UIDMAP_LENGTH: String(ids.count),
  ROOTLESS_GIDMAP_START: String(ids.gid),
  ROOTLESS_GIDMAP_LENGTH: String(ids.count),
  ROOTLESS_AUX_DIR: `${user.home}/aux`,
  ROOTLESS_AUX_UID: String(ids.owner),
};

/** Makes the user and the features, in the tree's mounts and the world's cgroups alone. */
export async function prepareRootless(place: Place, features: RootlessFeatures): Promise<void> {
  const parts = [makeUser, features.idmap ? giveIds : hideHelpers, ...(features.cgroup ? [giveCgroup] : [])];
  await place.output(['sh', '-ec', parts.join('\n')]);
}

const makeUser = `
mkdir -p ${user.home}/run ${user.home}/etc
for f in passwd group subuid subgid; do
  [ -e /etc/$f ] || : > /etc/$f
  case $f in sub*) : > ${user.home}/etc/$f;; *) cp /etc/$f ${user.home}/etc/$f;; esac
  mount --bind ${user.home}/etc/$f /etc/$f
done
echo '${user.name}:x:${user.id}:${user.id}::${user.home}:/bin/bash' >> /etc/passwd
echo '${user.name}:x:${user.id}:' >> /etc/group
chown ${user.id}:${user.id} ${user.home} ${user.home}/run`;

const giveIds = `
echo ${user.name}:${ids.uid}:${ids.count} > /etc/subuid
echo ${user.name}:${ids.gid}:${ids.count} > /etc/subgid
mkdir -m 700 ${user.home}/aux
chown ${ids.uid - ids.firstInside + ids.owner} ${user.home}/aux`;

/** A program that is no longer one is not found in $PATH. */
const hideHelpers = `
: > ${user.home}/etc/none
for f in /usr/bin/newuidmap /usr/bin/newgidmap; do [ ! -e $f ] || mount --bind ${user.home}/etc/none $f; done`;

/** As tests/rootless.sh gives it: to the user's group, the directory and the files that processes are moved by. */
const giveCgroup = `
top=/sys/fs/cgroup
if [ -e $top/cgroup.controllers ]; then all=$top; else all=$(echo $top/*); fi
for h in $all; do
  [ -e $h/cgroup.procs ] || continue
  c=$h${cgroupPath}
  mkdir $c
  for f in $c $c/cgroup.procs $c/tasks $c/cgroup.subtree_control; do
    [ ! -e $f ] || { chgrp ${user.id} $f; chmod g+rwX $f; }
  done
  [ -e $c/tasks ] || { chgrp ${user.id} $h/cgroup.procs; chmod g+rw $h/cgroup.procs; }
  for f in cpuset.cpus cpuset.mems; do
    [ ! -e $c/tasks ] || [ ! -e $c/$f ] || { cat $h/$f > $c/$f; chown ${user.id} $c/$f; }
  done
  for f in cpu.rt_period_us cpu.rt_runtime_us; do [ ! -e $c/$f ] || chown ${user.id} $c/$f; done
done`;
