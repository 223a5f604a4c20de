/** A command line that cannot be understood: printed with the command's usage, exit status 125 as docker's. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
