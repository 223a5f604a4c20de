/** The words of containerd-shim-runc-v2 for what a state does not allow, and for what a runtime says: clients show them, and some look for them. */
import { StrakeError } from '../base/index.ts';
import type { ProcessState } from '../core/tasks/index.ts';

type Status = ProcessState['status'];
type Refusals = { readonly [Name in Status]?: string };

/** cmd/containerd-shim-runc-v2/process/init_state.go and exec_state.go, whose errors have no class. */
const refusals = {
  pause: { created: 'cannot pause task in created state', paused: 'cannot pause a paused container', stopped: 'cannot pause a stopped container' },
  resume: { created: 'cannot resume task in created state', running: 'cannot resume a running process', stopped: 'cannot resume a stopped container' },
  start: { running: 'cannot start a running process', paused: 'cannot start a paused process', stopped: 'cannot start a stopped process' },
  delete: { running: 'cannot delete a running process', paused: 'cannot delete a paused process' },
  exec: { paused: 'cannot exec in a paused state', stopped: 'cannot exec in a stopped state' },
  checkpoint: { created: 'cannot checkpoint a task in created state', stopped: 'cannot checkpoint a stopped container' },
  update: { stopped: 'cannot update a stopped container' },
  resize: { stopped: 'cannot resize a stopped container' },
} as const satisfies Readonly<Record<string, Refusals>>;

/** Throws where the state does not allow it. */
export function checkState(verb: keyof typeof refusals, { status }: ProcessState): void {
  const refused = (refusals[verb] as Refusals)[status];
  if (refused !== undefined) throw new StrakeError('Internal', refused, { fields: { layer: 'shim', operation: verb } });
}

const beforeWords = {
  create: 'OCI runtime create failed: runc create failed: unable to start container process: error during container init: ',
  start: 'OCI runtime start failed: ',
  exec: 'OCI runtime exec failed: exec failed: unable to start container process: ',
} as const;

/** A failure of our runtime's program in the words in which containerd's shim hands on runc's; another one is what it is. */
function runtimeFailure(verb: keyof typeof beforeWords, error: unknown): unknown {
  if (!(error instanceof StrakeError) || error.fields.layer !== 'kernel' || error.code === 'Unavailable') return error;
  return new StrakeError('Internal', `${beforeWords[verb]}${error.message}`, { cause: error, fields: error.fields });
}

export async function inRuntimeWords<T>(verb: keyof typeof beforeWords, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw runtimeFailure(verb, error);
  }
}
