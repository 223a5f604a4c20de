import { StrakeError } from '../../base/index.ts';

/** runc's rule: word characters, `+`, `-`, `.`; neither `.` nor `..`. */
export function checkContainerId(id: string): string {
  if (id === '') throw new StrakeError('InvalidArgument', 'container id cannot be empty', { fields: { layer: 'runtime' } });
  if (!/^[\w+.-]{1,1024}$/.test(id) || id === '.' || id === '..')
    throw new StrakeError('InvalidArgument', 'invalid container ID format', { fields: { layer: 'runtime', id } });
  return id;
}
