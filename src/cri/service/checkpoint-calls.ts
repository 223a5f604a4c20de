import type { CriContext } from '../context.ts';
import { refused } from '../refusals.ts';
import type { SomeCalls } from './calls.ts';

export function checkpointCalls(_context: CriContext): SomeCalls<'checkpointContainer' | 'checkpointPod' | 'restorePod'> {
  const not = (what: string) => () => {
    throw refused('Unimplemented', `${what}: not supported`);
  };
  return { checkpointContainer: not('checkpoint of a container'), checkpointPod: not('checkpoint of a pod'), restorePod: not('restore of a pod') };
}
