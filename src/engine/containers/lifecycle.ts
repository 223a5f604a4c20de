import type { ContainerState } from '../../api/docker/index.ts';

/** Times as RFC 3339 texts with nanoseconds, as Docker tells them. */
export type Lifecycle =
  /** Never ran, or could not be started (`exitCode` and `error` say why). */
  | { readonly status: 'created'; readonly exitCode: number; readonly error: string; readonly finishedAt: string }
  | Running
  /** Waits for its next start under a restart policy. */
  | ({ readonly status: 'restarting' } & Ended)
  | ({ readonly status: 'exited' } & Ended)
  /** Its removal failed. */
  | ({ readonly status: 'dead' } & Ended)
  | ({ readonly status: 'removing' } & Ended);

export interface Running {
  readonly status: 'running' | 'paused';
  readonly pid: number;
  readonly startedAt: string;
  /** of the run before */
  readonly finishedAt: string;
  /** in this run */
  readonly oomKilled?: boolean | undefined;
}

export interface Ended {
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly error: string;
  readonly startedAt: string;
  readonly finishedAt: string;
}

/** Go's zero time. */
export const never = '0001-01-01T00:00:00Z';

export const fresh: Lifecycle = { status: 'created', exitCode: 0, error: '', finishedAt: never };

export function isRunning(lifecycle: Lifecycle): lifecycle is Running {
  return lifecycle.status === 'running' || lifecycle.status === 'paused';
}

/** What is known of the last end, whatever the state is now. */
export function ended(lifecycle: Lifecycle): Ended {
  switch (lifecycle.status) {
    case 'created':
      return { exitCode: lifecycle.exitCode, oomKilled: false, error: lifecycle.error, startedAt: never, finishedAt: lifecycle.finishedAt };
    case 'running':
    case 'paused':
      return { exitCode: 0, oomKilled: lifecycle.oomKilled ?? false, error: '', startedAt: lifecycle.startedAt, finishedAt: lifecycle.finishedAt };
    default:
      return lifecycle;
  }
}

/** `State` of inspect. */
export function describeState(lifecycle: Lifecycle): ContainerState {
  const { exitCode, oomKilled, error, startedAt, finishedAt } = ended(lifecycle);
  const { status } = lifecycle;
  return {
    Status: status,
    // Docker counts a container that waits for its restart as running.
    Running: isRunning(lifecycle) || status === 'restarting',
    Paused: status === 'paused',
    Restarting: status === 'restarting',
    OOMKilled: oomKilled,
    Dead: status === 'dead',
    Pid: isRunning(lifecycle) ? lifecycle.pid : 0,
    ExitCode: exitCode,
    Error: error,
    StartedAt: startedAt,
    FinishedAt: finishedAt,
  };
}
