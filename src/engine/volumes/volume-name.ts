import { StrakeError } from '../../base/index.ts';

/** Texts are Docker's. */
export function checkVolumeName(name: string): void {
  if (name.length === 1) throw new StrakeError('InvalidArgument', 'volume name is too short, names should be at least two alphanumeric characters');
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name))
    throw new StrakeError(
      'InvalidArgument',
      `create ${name}: ${JSON.stringify(name)} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    );
  // The longest file name that Linux has.
  if (name.length > 255) throw new StrakeError('InvalidArgument', `create ${name}: volume name is longer than 255 characters`);
}
