import type { Op } from '../../kernel/index.ts';
import type { ProcessSpec } from '../../oci/index.ts';
import type { CreateOptions, ExecOptions } from './options.ts';

/** linux/key.h: whoever searches it may join it by its name. */
const searchable = { byUser: 0x08_0000, byOther: 0x08 } as const;

/** A session keyring of the container's name instead of the caller's; its label is the process's (selinux(8), keyrings(7)). execve takes the label back. */
export function keyringOps(
  { selinuxLabel }: ProcessSpec,
  { id, noNewKeyring }: Pick<CreateOptions | ExecOptions, 'id' | 'noNewKeyring'>,
  permissions?: number,
): readonly Op[] {
  if (noNewKeyring) return [];
  const label: readonly Op[] = selinuxLabel ? [{ op: 'label', side: 'init', name: 'keycreate', value: selinuxLabel }] : [];
  return [...label, { op: 'keyring', side: 'init', name: `_ses.${id}`, ...(permissions === undefined ? {} : { permissions }) }];
}

/** The init's, which later processes join; in a user namespace its owner is another user to them (runc). */
export function newKeyringOps(process: ProcessSpec, options: CreateOptions, inUserNamespace: boolean): readonly Op[] {
  return keyringOps(process, options, inUserNamespace ? searchable.byOther : searchable.byUser);
}
