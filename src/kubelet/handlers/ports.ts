import { StrakeError } from '../../base/index.ts';
import type { V1Container } from '../kubernetes.ts';

/**
 * The number of a port that a handler names.
 * @throws StrakeError InvalidArgument when the container has no port of that name
 */
export function portNumber(port: number | string, container: V1Container): number {
  if (typeof port === 'number') return port;
  const named = container.ports?.find(({ name }) => name === port)?.containerPort ?? Number(/^\d{1,5}$/.exec(port)?.[0] ?? Number.NaN);
  if (!(named >= 1 && named <= 65535))
    throw new StrakeError('InvalidArgument', `container ${container.name} has no port ${JSON.stringify(port)}`, { fields: { layer: 'kubelet' } });
  return named;
}
