import { readFileSync } from 'node:fs';
import type { ResourcesSpec } from '../../oci/index.ts';
import type { Op } from '../program/index.ts';
import { type CgroupDirectories, v1DirectoryOf } from './directories.ts';
import type { CgroupLayout } from './layout.ts';
import { invalidLimit } from './limit-errors.ts';
import { v1LimitOperations } from './limits-v1.ts';
import { v2LimitOperations } from './limits-v2.ts';

/** Limits and use of a live cgroup, as far as an update depends on them; undefined for what is unlimited or not counted. */
export interface LiveLimits {
  readonly memswBytes: bigint | undefined;
  readonly memoryBytes: bigint | undefined;
  readonly memoryUsageBytes: bigint | undefined;
  /** cpu.max of v2, both halves */
  readonly cpuMax: readonly [string, string] | undefined;
}

/** Changes the limits of a live cgroup; what is not given stays, device rules too. Pass what `readLiveLimits` found. */
export function updateOperations(
  layout: CgroupLayout,
  directories: CgroupDirectories,
  resources: ResourcesSpec,
  live: LiveLimits,
  lenient = false,
): readonly Op[] {
  if (layout.kind !== 'v2' || !directories.v2) return v1LimitOperations(directories, resources, { live, lenient });
  checkBeforeUpdate(resources, live);
  const [quota, period] = live.cpuMax ?? ['max', '100000'];
  const controllers = layout.v2?.controllers ?? [];
  return v2LimitOperations(directories.v2, resources, { controllers, live: { memoryBytes: live.memoryBytes, quota, period }, lenient });
}

export function readLiveLimits(layout: CgroupLayout, directories: CgroupDirectories): LiveLimits {
  const memory = v1DirectoryOf(directories, 'memory');
  const v2 = layout.kind === 'v2' ? directories.v2 : undefined;
  const cpuMax = v2 === undefined ? undefined : readIfThere(`${v2}/cpu.max`)?.split(' ');
  return {
    memswBytes: memory === undefined ? undefined : readNumber(`${memory}/memory.memsw.limit_in_bytes`),
    memoryBytes: v2 === undefined ? undefined : readNumber(`${v2}/memory.max`),
    memoryUsageBytes: v2 === undefined ? undefined : readNumber(`${v2}/memory.current`),
    cpuMax: cpuMax?.[0] !== undefined && cpuMax[1] !== undefined ? [cpuMax[0], cpuMax[1]] : undefined,
  };
}

/** v2 takes any limit and kills until it holds; v1 refuses one below the use by itself. */
function checkBeforeUpdate({ memory }: ResourcesSpec, { memoryUsageBytes }: LiveLimits): void {
  if (!memory?.checkBeforeUpdate || memoryUsageBytes === undefined) return;
  const rejects = (limit: bigint) => limit > 0n && limit <= memoryUsageBytes;
  const swap = BigInt(memory.swap ?? 0);
  const limit = BigInt(memory.limit ?? 0);
  if (rejects(swap)) throw invalidLimit(`rejecting memory+swap limit ${swap} <= usage ${memoryUsageBytes}`);
  if (rejects(limit)) throw invalidLimit(`rejecting memory limit ${limit} <= usage ${memoryUsageBytes}`);
}

function readNumber(file: string): bigint | undefined {
  const text = readIfThere(file);
  return text !== undefined && /^\d+$/.test(text) ? BigInt(text) : undefined;
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (['ENOENT', 'ENODEV'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}
