import type { ContainersPruneResponse } from '../../api/docker/index.ts';
import { isCode, StrakeError } from '../../base/index.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import { removeContainer } from './remove.ts';
import { containerSizes } from './sizes.ts';

export interface PruneFilters {
  get(name: string): readonly string[];
  labels(labels: Readonly<Record<string, string>>): boolean;
}

/** Removes those that do not run, with what they wrote. */
export async function pruneContainers(
  context: ContainerContext,
  filters: PruneFilters,
  hasLabel: (labels: Readonly<Record<string, string>>, wanted: string) => boolean,
): Promise<ContainersPruneResponse> {
  const until = Math.min(...filters.get('until').map(parseUntil));
  const isWanted = ({ document, lifecycle }: Container) =>
    ['created', 'exited', 'dead'].includes(lifecycle.status) &&
    Date.parse(document.createdAt) <= until &&
    filters.labels(document.config.Labels) &&
    !filters.get('label!').some((label) => hasLabel(document.config.Labels, label));
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const container of context.registry.list().filter(isWanted)) {
    const { SizeRw } = await containerSizes(context, container).catch(() => ({ SizeRw: 0 }));
    try {
      await removeContainer(context, container.id, { force: false, volumes: false });
    } catch (error) {
      // Started or removed meanwhile.
      if (isCode(error, 'FailedPrecondition') || isCode(error, 'NotFound')) continue;
      throw error;
    }
    deleted.push(container.id);
    reclaimed += SizeRw;
  }
  context.events.publish({ type: 'container', action: 'prune', id: '', attributes: { reclaimed: String(reclaimed) } });
  return { ContainersDeleted: deleted.length === 0 ? null : deleted, SpaceReclaimed: reclaimed };
}

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A time, seconds since the epoch, or how long ago (`1h30m`); as ms since the epoch. */
function parseUntil(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  if (/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text))
    return Date.now() - [...text.matchAll(/([\d.]+)(ms|s|m|h)/g)].reduce((sum, [, value, unit]) => sum + Number(value) * (unitsMs[unit ?? ''] ?? 0), 0);
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new StrakeError('InvalidArgument', `invalid value for "until" filter: ${JSON.stringify(text)}`);
  return time;
}
