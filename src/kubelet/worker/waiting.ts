/** Why a container does not run yet: Kubernetes' reason for its status, and when it is worth another try. */
export class Waiting extends Error {
  override readonly name = 'Waiting';
  readonly reason: string;
  readonly retryMs: number;

  constructor(reason: string, message: string, retryMs = defaultRetryMs, options?: { cause: unknown }) {
    super(message, options);
    this.reason = reason;
    this.retryMs = retryMs;
  }
}

const defaultRetryMs = 5000;
