import { health } from '../../api/grpc/index.ts';
import { StrakeError } from '../../base/index.ts';
import type { ServiceImplementation } from '../service.ts';

const { SERVING, SERVICE_UNKNOWN } = health.HealthCheckResponse_ServingStatus;

/** grpc.health.v1 of a server whose services serve as long as it does. */
export function healthService(names: readonly string[]): ServiceImplementation<typeof health.Health> {
  const known = new Set(['', ...names]);
  return {
    check({ service }) {
      if (!known.has(service)) throw new StrakeError('NotFound', `unknown service ${service}`);
      return { status: SERVING };
    },
    async *watch({ service }, { signal }) {
      yield { status: known.has(service) ? SERVING : SERVICE_UNKNOWN };
      await ended(signal);
    },
  };
}

async function ended(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
}
