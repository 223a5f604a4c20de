import type { Logger } from '../../../base/index.ts';
import type { CgroupLayout, Launcher } from '../../../kernel/index.ts';
import type { Machine } from '../../../runtime/index.ts';
import type { EventBus } from '../../events/events.ts';

/** What every task works with. */
export interface TaskContext {
  readonly launcher: Launcher;
  readonly layout: CgroupLayout;
  readonly machine: Machine;
  readonly events: EventBus;
  readonly log: Logger;
}
