import type { ContainerStats } from '../../api/docker/index.ts';

/** A line of memory.stat, under the first of its names that is there: version 2 of cgroups, version 1 with what is below, version 1. */
export function memoryFigure({ memory_stats: { stats = {} } }: ContainerStats, ...names: readonly string[]): number {
  return names.map((name) => stats[name]).find((value) => value !== undefined) ?? 0;
}

/** What cannot be taken back at once: without files' pages that nobody has used of late (cAdvisor's measure). */
export function workingSet(stats: ContainerStats): number {
  return Math.max(0, (stats.memory_stats.usage ?? 0) - memoryFigure(stats, 'inactive_file', 'total_inactive_file'));
}
