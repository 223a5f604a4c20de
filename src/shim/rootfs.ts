import path from 'node:path';
import type { Mount } from '../api/containerd/index.ts';
import { StrakeError } from '../base/index.ts';
import type { TaskRootfs } from '../core/tasks/index.ts';
import { idMapOf } from '../core/wire/index.ts';
import type { RuntimeSpec } from '../oci/index.ts';

type WireMount = Pick<Mount, 'type' | 'source' | 'target' | 'options'>;

/** Options that say how the kernel is to do what it does anyway, or that concern the mount of snapshotters that we know. */
const ignoredOverlayOptions = /^(?:index=off|xino=\w+|metacopy=off|redirect_dir=\w+|userxattr|volatile|rw|[ug]idmap=.*)$/;

/** The root filesystem of a bundle: the mounts that the snapshotter told; without any it is in the bundle. Unimplemented for what is neither an overlay nor a bind. */
export function rootfsOf(mounts: readonly WireMount[], bundle: string, spec: RuntimeSpec): TaskRootfs {
  const [mount, ...more] = mounts;
  if (mount === undefined) return { type: 'directory', path: path.resolve(bundle, spec.root?.path ?? 'rootfs') };
  if (more.length > 0 || mount.target !== '') throw cannotMount(mounts);
  if (mount.type === 'overlay') return overlayOf(mount);
  if (mount.type !== 'bind' && !mount.options.some((option) => option === 'bind' || option === 'rbind')) throw cannotMount(mounts);
  return { type: 'bind', source: mount.source, readonly: mount.options.includes('ro'), ...mappedBy(mount) };
}

function overlayOf(mount: WireMount): TaskRootfs {
  const values = new Map<string, string>();
  let readonly = false;
  for (const option of mount.options) {
    const [, name = '', value = ''] = /^(lowerdir|upperdir|workdir)=(.*)$/s.exec(option) ?? [];
    if (name !== '') values.set(name, value);
    else if (option === 'ro') readonly = true;
    else if (!ignoredOverlayOptions.test(option)) throw new StrakeError('Unimplemented', `overlay option ${option}`, { fields: { layer: 'shim' } });
  }
  const upper = values.get('upperdir');
  const lowers = directories(values.get('lowerdir') ?? '');
  return { type: 'overlay', lowers, upper, work: values.get('workdir'), readonly: readonly || upper === undefined, ...mappedBy(mount) };
}

function mappedBy({ options }: WireMount): Pick<Exclude<TaskRootfs, { readonly type: 'directory' }>, 'idMap'> {
  const idMap = idMapOf(options);
  return idMap === undefined ? {} : { idMap };
}

/** Colons part them; one that belongs to a name has a backslash before it (Documentation/filesystems/overlayfs.rst). */
function directories(text: string): readonly string[] {
  return (text.match(/(?:\\.|[^\\:])+/gs) ?? []).map((name) => name.replace(/\\(.)/gs, '$1'));
}

function cannotMount(mounts: readonly WireMount[]): StrakeError {
  const text = mounts.map(({ type, source }) => `${type} of ${source}`).join(', ');
  return new StrakeError('Unimplemented', `a root filesystem of ${text}: only one overlay or bind mount is`, { fields: { layer: 'shim' } });
}
