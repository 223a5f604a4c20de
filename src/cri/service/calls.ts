import type { criRuntime } from '../../api/cri/index.ts';
import { portions } from '../../base/index.ts';
import type { ServiceImpl } from '../../rpc/grpc/index.ts';

type Calls = ServiceImpl<typeof criRuntime.RuntimeService>;

/** Some of the calls, which together must be all of them. */
export type SomeCalls<Name extends keyof Calls> = Pick<Calls, Name>;

/** So many are told in one message of a stream. */
const perMessage = 256;

/** At least one, so that a client knows that there is nothing. */
export function* inMessages<T>(items: readonly T[]): Generator<T[]> {
  if (items.length === 0) yield [];
  yield* portions(items, perMessage);
}
