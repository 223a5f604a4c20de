import type { ContainerInspect, ContainerSummary } from '../../api/docker/index.ts';
import { isCode } from '../../base/index.ts';
import type { EngineClient } from '../../docker-client/index.ts';
import { refuse } from '../refuse.ts';
import { type ContainerType, type Labels, sandboxIdLabel, typeLabel } from './labels.ts';

/** The engine's containers, as pods and containers of pods. */
export class Engine {
  readonly client: EngineClient;

  constructor(client: EngineClient) {
    this.client = client;
  }

  /** All of one type, in whatever state. */
  async list(
    type: ContainerType,
    { sandboxId, size = false }: { readonly sandboxId?: string; readonly size?: boolean } = {},
  ): Promise<readonly ContainerSummary[]> {
    const label = [`${typeLabel}=${type}`, ...(sandboxId === undefined ? [] : [`${sandboxIdLabel}=${sandboxId}`])];
    return await this.client.get('/containers/json', { query: { all: true, size, filters: JSON.stringify({ label }) } });
  }

  /** NotFound for what is none of that type. */
  async inspect(id: string, type: ContainerType): Promise<ContainerInspect> {
    const found = await this.find(id, type);
    if (found === undefined)
      throw refuse('NotFound', `an error occurred when try to find ${type === 'container' ? 'container' : 'sandbox'} "${id}": not found`);
    return found;
  }

  async find(id: string, type: ContainerType): Promise<ContainerInspect | undefined> {
    if (!/^[0-9a-f]{1,64}$/.test(id)) return undefined;
    try {
      const found = await this.client.get<ContainerInspect>(`/containers/${id}/json`);
      return found.Config.Labels[typeLabel] === type ? found : undefined;
    } catch (error) {
      if (isCode(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  async create(name: string, body: Readonly<Record<string, unknown>> & { readonly Labels: Labels }): Promise<string> {
    const { Id } = await this.client.post<{ readonly Id: string }>('/containers/create', { query: { name }, body });
    return Id;
  }

  /** NotFound when there is none of that name. */
  async image(name: string): Promise<{ readonly Id: string; readonly Config: { readonly User: string } }> {
    return await this.client.get(`/images/${name}/json`);
  }

  async start(id: string): Promise<void> {
    await this.client.post(`/containers/${id}/start`);
  }

  /** One that is gone, or has ended, is stopped. Without time it is killed, where the engine would ask it to end first. */
  async stop(id: string, timeoutSeconds: number): Promise<void> {
    if (timeoutSeconds <= 0)
      await this.client.post(`/containers/${id}/kill`, { query: { signal: 'KILL' } }).catch((error: unknown) => {
        if (!isCode(error, 'FailedPrecondition') && !isCode(error, 'NotFound')) throw error;
      });
    await unlessGone(this.client.post(`/containers/${id}/stop`, { query: { t: timeoutSeconds } }));
  }

  async remove(id: string): Promise<void> {
    await unlessGone(this.client.delete(`/containers/${id}`, { query: { force: true, v: true } }));
  }
}

async function unlessGone(asked: Promise<unknown>): Promise<void> {
  try {
    await asked;
  } catch (error) {
    if (!isCode(error, 'NotFound')) throw error;
  }
}

/** RFC 3339 with nanoseconds, as nanoseconds since the epoch; 0 for Go's zero time. */
export function nanoseconds(time: string): bigint {
  const seconds = Date.parse(time.replace(/\.\d+/, ''));
  if (!(seconds > 0)) return 0n;
  const fraction = /\.(\d+)/.exec(time)?.[1] ?? '';
  return BigInt(seconds) * 1_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
}

/** The engine's names are [a-zA-Z0-9_.-]; those of the old dockershim. */
export function engineName(...parts: readonly (string | number)[]): string {
  return ['k8s', ...parts].join('_').replaceAll(/[^a-zA-Z0-9_.-]/g, '-');
}
