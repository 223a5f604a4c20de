/** A command line that cannot be understood: printed with the command's usage. The exit status is docker's. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly status: number;

  constructor(message: string, status = 125) {
    super(message);
    this.status = status;
  }
}
