import { StrakeError } from '../base/index.ts';
import type { EngineClient } from '../docker-client/index.ts';

interface WaitAnswer {
  readonly StatusCode: number;
  readonly Error?: { readonly Message: string } | null;
}

export type WaitCondition = 'not-running' | 'next-exit' | 'removed';

/** Resolves once the engine has registered the wait (its headers have come); `status` is the exit status to come. */
export async function waitForExit(client: EngineClient, id: string, condition: WaitCondition): Promise<{ readonly status: Promise<number> }> {
  const response = await client.call('POST', `/containers/${id}/wait`, { query: { condition } });
  const status = response.text().then((text) => {
    const answer = JSON.parse(text) as WaitAnswer;
    if (answer.Error?.Message) throw new StrakeError('Internal', answer.Error.Message, { fields: { layer: 'engine' } });
    return answer.StatusCode;
  });
  return { status };
}
