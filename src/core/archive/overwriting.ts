import { StrakeError } from '../../base/index.ts';

/** Of a session that keeps kinds: says what was to replace what, in docker's words. `directory`: where the archive was to go. Other errors are as they were. */
export function overwriteError(error: unknown, directory: string): unknown {
  if (!(error instanceof StrakeError)) return error;
  const { errno, path } = error.fields;
  if ((errno !== 'EISDIR' && errno !== 'ENOTDIR') || typeof path !== 'string') return error;
  const [was, becomes] = errno === 'EISDIR' ? ['directory', 'non-directory'] : ['non-directory', 'directory'];
  return new StrakeError('InvalidArgument', `cannot overwrite ${was} ${JSON.stringify(path)} with ${becomes} ${JSON.stringify(directory)}`, {
    cause: error,
    fields: { ...error.fields, layer: 'core', operation: 'untar' },
  });
}
