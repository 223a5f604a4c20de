/** Ends a command with a status and, unless empty, a message on stderr. */
export class ExitStatus extends Error {
  override readonly name = 'ExitStatus';
  readonly status: number;

  constructor(status: number, message = '') {
    super(message);
    this.status = status;
  }
}
