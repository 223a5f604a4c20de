import type { V1PodSpec } from '../kubernetes.ts';
import { quantityMilli } from '../quantity.ts';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

const counted = ['cpu', 'memory'] as const;

/** Who suffers last, in between and first when memory runs short (kubernetes.io, "Pod Quality of Service Classes"). */
export function qosClass({ containers, initContainers = [] }: V1PodSpec): QosClass {
  const all = [...initContainers, ...containers];
  const amount = (quantity: string | undefined): bigint => (quantity === undefined ? 0n : quantityMilli(quantity));
  const asksForSomething = all.some(({ resources }) =>
    counted.some((name) => amount(resources?.requests?.[name]) > 0n || amount(resources?.limits?.[name]) > 0n),
  );
  if (!asksForSomething) return 'BestEffort';
  const guaranteed = all.every(({ resources }) =>
    counted.every((name) => amount(resources?.limits?.[name]) > 0n && amount(resources?.limits?.[name]) === amount(resources?.requests?.[name])),
  );
  return guaranteed ? 'Guaranteed' : 'Burstable';
}
