import { describeState, type Lifecycle } from './lifecycle.ts';
import { humanDuration, nowMs } from './time.ts';

/** The STATUS column: `Up 3 seconds`, `Exited (0) 2 minutes ago` (moby container/state.go). */
export function statusText(lifecycle: Lifecycle, now: number = nowMs()): string {
  const state = describeState(lifecycle);
  const since = (time: string) => humanDuration(Math.max(0, now - Date.parse(time)));
  switch (lifecycle.status) {
    case 'running':
      return `Up ${since(state.StartedAt)}`;
    case 'paused':
      return `Up ${since(state.StartedAt)} (Paused)`;
    case 'restarting':
      return `Restarting (${state.ExitCode}) ${since(state.FinishedAt)} ago`;
    case 'removing':
      return 'Removal In Progress';
    case 'dead':
      return 'Dead';
    case 'created':
      return 'Created';
    case 'exited':
      return `Exited (${state.ExitCode}) ${since(state.FinishedAt)} ago`;
  }
}
