/** Snapshots' mounts as containerd's clients and shims have them: a type, a source and options of mount(8). */
import { existsSync } from 'node:fs';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Mount, MountSchema } from '../../api/containerd/index.ts';
import { StrakeError } from '../../base/index.ts';
import type { SnapshotMount } from '../snapshots/snapshots.ts';

type IdMap = NonNullable<SnapshotMount['idMap']>;

/** containerd's overlayfs and native snapshotters give the same for the same snapshot. */
export function toWireMounts(mount: SnapshotMount): readonly MessageInitShape<typeof MountSchema>[] {
  const mapped = mount.idMap === undefined ? [] : [`uidmap=${mapOption(mount.idMap.uids)}`, `gidmap=${mapOption(mount.idMap.gids)}`];
  if (mount.type === 'bind') return [{ type: 'bind', source: mount.source, options: [...mapped, mount.readonly ? 'ro' : 'rw', 'rbind'] }];
  const { lowers, upper, work } = mount;
  const writable = upper === undefined || work === undefined ? [] : [`workdir=${work}`, `upperdir=${upper}`];
  return [{ type: 'overlay', source: 'overlay', options: [...mapped, ...writable, `lowerdir=${lowers.map(escapeLower).join(':')}`, ...indexOff] }];
}

/** A kernel that keeps an index by default ties a writable layer to the mount that it was first in, and to its lower layers: a client may mount it anywhere. Older ones do not know the option. */
const indexOff = existsSync('/sys/module/overlay/parameters/index') ? ['index=off'] : [];

/** What was given out above, come back. Undefined for no mount at all: an empty tree. Unimplemented for what no snapshotter of ours gives out. */
export function fromWireMounts(mounts: readonly Mount[]): SnapshotMount | undefined {
  const [mount] = mounts;
  if (mount === undefined) return undefined;
  if (mounts.length > 1 || mount.target !== '') throw unsupported(mounts);
  const readonly = mount.options.includes('ro');
  const idMap = idMapOf(mount.options);
  const mapped = idMap === undefined ? {} : { idMap };
  if (mount.type === 'bind' || mount.type === 'rbind') return { type: 'bind', source: mount.source, readonly, ...mapped };
  const lower = optionOf(mount.options, 'lowerdir');
  if (mount.type !== 'overlay' || lower === undefined) throw unsupported(mounts);
  const [upper, work] = [optionOf(mount.options, 'upperdir'), optionOf(mount.options, 'workdir')];
  return { type: 'overlay', lowers: splitLowers(lower), upper, work, readonly: readonly || upper === undefined, ...mapped };
}

/** Where a layer is unpacked to when it is applied to a mount, and how it hides files of the layers below. */
export function applyTarget(mount: SnapshotMount | undefined): { readonly dir: string; readonly whiteouts: 'overlay' | 'plain' } {
  if (mount?.type === 'bind') return { dir: mount.source, whiteouts: 'plain' };
  if (mount?.upper === undefined) throw new StrakeError('InvalidArgument', 'a layer is applied to one writable mount', { fields: { layer: 'core' } });
  return { dir: mount.upper, whiteouts: 'overlay' };
}

/** `0 1000 65536\n…` as `0:1000:65536,…`. */
function mapOption(text: string): string {
  return text
    .trim()
    .split('\n')
    .map((line) => line.replaceAll(' ', ':'))
    .join(',');
}

/** Owners are shown otherwise where an option says so, as containerd has it: `uidmap=0:1000:65536,…` and `gidmap=…`. */
export function idMapOf(options: readonly string[]): IdMap | undefined {
  const [uids, gids] = [optionOf(options, 'uidmap'), optionOf(options, 'gidmap')];
  if (uids === undefined || gids === undefined) return undefined;
  const lines = (text: string) =>
    text
      .split(',')
      .map((extent) => `${extent.replaceAll(':', ' ')}\n`)
      .join('');
  return { uids: lines(uids), gids: lines(gids) };
}

function optionOf(options: readonly string[], name: string): string | undefined {
  return options.find((option) => option.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** A colon parts lower directories, unless a backslash stands before it (Documentation/filesystems/overlayfs.rst). */
function escapeLower(path: string): string {
  return path.replaceAll(/[\\:]/g, '\\$&');
}

function splitLowers(text: string): readonly string[] {
  return text.match(/(?:\\.|[^:\\])+/g)?.map((path) => path.replaceAll(/\\(.)/g, '$1')) ?? [];
}

function unsupported(mounts: readonly Mount[]): StrakeError {
  return new StrakeError('Unimplemented', `mounts ${mounts.map(({ type }) => type).join(', ')} are not those of a snapshot: one bind or one overlay`, {
    fields: { layer: 'core' },
  });
}
