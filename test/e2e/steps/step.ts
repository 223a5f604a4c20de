import { registryHost } from '../../fixtures/registry.ts';
import type { Session } from '../../lib/session.ts';

/** One row of the table: played on the real Docker and on ours, recorded alike, with the effect checked in the kernel on both. */
export interface Step {
  readonly name: string;
  /** The layer or feature of ours that does not do this yet, and why: the step runs on the real Docker alone. */
  readonly notYet?: string;
  play(session: Session): Promise<void>;
}

export const busybox = `${registryHost}/busybox`;
export const image = (name: string): string => `${registryHost}/${name}`;
