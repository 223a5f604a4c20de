import type { Containers } from '../../containers/index.ts';

/** What the exec routes need of the containers. */
export type ExecBackend = Pick<Containers, 'createExec' | 'startExec' | 'inspectExec' | 'resizeExec'>;
