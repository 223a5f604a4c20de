/** How a command ended, on the error stream: as a Kubernetes Status from version 4 of the protocol on, before that the text of a failure. */
export type Outcome = { readonly kind: 'exit'; readonly code: number } | { readonly kind: 'failure'; readonly message: string };

export type StatusFormat = 'json' | 'text';

/** Empty: there is nothing to tell. */
export function formatStatus(outcome: Outcome, format: StatusFormat): string {
  const status = statusOf(outcome);
  if (format === 'json') return JSON.stringify(status);
  return status.message ?? '';
}

interface Status {
  readonly metadata: Readonly<Record<string, never>>;
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: { readonly causes: readonly { readonly reason?: string; readonly message: string }[] };
  readonly code?: number;
}

function statusOf(outcome: Outcome): Status {
  if (outcome.kind === 'failure') {
    const message = `Internal error occurred: ${outcome.message}`;
    return { metadata: {}, status: 'Failure', message, reason: 'InternalError', details: { causes: [{ message: outcome.message }] }, code: 500 };
  }
  if (outcome.code === 0) return { metadata: {}, status: 'Success' };
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: ${outcome.code}`,
    reason: 'NonZeroExitCode',
    // kubectl and crictl read the code here.
    details: { causes: [{ reason: 'ExitCode', message: String(outcome.code) }] },
  };
}
