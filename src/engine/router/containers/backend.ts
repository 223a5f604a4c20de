import type { Containers } from '../../containers/index.ts';

/** What the container routes need of the containers. */
export type ContainersBackend = Pick<
  Containers,
  | 'create'
  | 'explain'
  | 'start'
  | 'stop'
  | 'restart'
  | 'kill'
  | 'pause'
  | 'unpause'
  | 'wait'
  | 'attach'
  | 'resize'
  | 'logs'
  | 'hasTerminal'
  | 'inspect'
  | 'list'
  | 'top'
  | 'stats'
  | 'rename'
  | 'update'
  | 'remove'
  | 'prune'
  | 'statPath'
  | 'archive'
  | 'extract'
  | 'changes'
  | 'export'
>;
