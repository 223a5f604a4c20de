import { shortId } from '../../base/index.ts';
import { defineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { formatList, type ListFormat } from '../format/table.ts';
import { binarySize, humanSize } from '../format/units.ts';

interface StatsAnswer {
  readonly id: string;
  readonly name: string;
  readonly cpu_stats: CpuStats;
  readonly precpu_stats: CpuStats;
  readonly memory_stats: { readonly usage?: number; readonly limit?: number; readonly stats?: Readonly<Record<string, number>> };
  readonly pids_stats: { readonly current?: number };
  readonly networks?: Readonly<Record<string, { readonly rx_bytes: number; readonly tx_bytes: number }>>;
  readonly blkio_stats: { readonly io_service_bytes_recursive?: readonly { readonly op: string; readonly value: number }[] | null };
}

interface CpuStats {
  readonly cpu_usage: { readonly total_usage: number };
  readonly system_cpu_usage?: number;
  readonly online_cpus?: number;
}

export const stats = defineCommand({
  name: 'stats',
  usage: '[OPTIONS] [CONTAINER...]',
  summary: "Show containers' use of resources, live",
  flags: {
    all: { kind: 'bool', short: 'a', help: 'Show stopped ones too' },
    format: { kind: 'string', help: "Format: 'table', 'table TEMPLATE', 'json', or a Go template" },
    'no-stream': { kind: 'bool', help: 'Show the first result only' },
    'no-trunc': { kind: 'bool', help: 'Do not shorten' },
  },
  minArgs: 0,
  maxArgs: Number.POSITIVE_INFINITY,
  async run(context, { values, args }) {
    const names = args.length > 0 ? args : await allContainers(context, values.all);
    const format = listFormat(values['no-trunc']);
    if (values['no-stream']) {
      const rows = await Promise.all(names.map((name) => context.client.get<StatsAnswer>(`/containers/${name}/stats`, { query: { stream: false } })));
      context.out(formatList(rows, values.format, format));
      return 0;
    }
    await follow(context, names, (rows) => context.out(`${context.isTerminal(1) ? '\x1b[2J\x1b[H' : ''}${formatList(rows, values.format, format)}`));
    return 0;
  },
});

async function allContainers(context: Context, all: boolean): Promise<readonly string[]> {
  const found = await context.client.get<readonly { readonly Id: string }[]>('/containers/json', { query: { all } });
  return found.map(({ Id }) => Id);
}

/** Draws anew when every container has sent its sample, until all streams have ended. */
async function follow(context: Context, names: readonly string[], draw: (rows: readonly StatsAnswer[]) => void): Promise<void> {
  const latest = new Map<string, StatsAnswer>();
  const fresh = new Set<string>();
  const live = new Set(names);
  await Promise.all(
    names.map(async (name) => {
      for await (const sample of context.client.lines<StatsAnswer>('GET', `/containers/${name}/stats`, { query: { stream: true } })) {
        latest.set(name, sample);
        fresh.add(name);
        if (fresh.size < live.size) continue;
        draw(names.flatMap((known) => latest.get(known) ?? []));
        fresh.clear();
      }
      live.delete(name);
      latest.delete(name);
    }),
  );
}

function listFormat(full: boolean): ListFormat<StatsAnswer> {
  return {
    defaultFields: ['ID', 'Name', 'CPUPerc', 'MemUsage', 'MemPerc', 'NetIO', 'BlockIO', 'PIDs'],
    columns: [
      { field: 'Container', heading: 'CONTAINER', value: (row) => (full ? row.id : shortId(row.id)) },
      { field: 'ID', heading: 'CONTAINER ID', value: (row) => (full ? row.id : shortId(row.id)) },
      { field: 'Name', heading: 'NAME', value: (row) => row.name.replace(/^\//, '') },
      { field: 'CPUPerc', heading: 'CPU %', value: (row) => `${cpuPercent(row).toFixed(2)}%` },
      { field: 'MemUsage', heading: 'MEM USAGE / LIMIT', value: (row) => `${binarySize(memoryUsed(row))} / ${binarySize(row.memory_stats.limit ?? 0)}` },
      { field: 'MemPerc', heading: 'MEM %', value: (row) => `${(row.memory_stats.limit ? (memoryUsed(row) / row.memory_stats.limit) * 100 : 0).toFixed(2)}%` },
      { field: 'NetIO', heading: 'NET I/O', value: netIo },
      { field: 'BlockIO', heading: 'BLOCK I/O', value: blockIo },
      { field: 'PIDs', heading: 'PIDS', value: (row) => row.pids_stats.current ?? 0 },
    ],
  };
}

/** Share of one CPU's time since the sample before, over all CPUs, in percent (docker's formula). */
function cpuPercent(row: StatsAnswer): number {
  const cpu = row.cpu_stats.cpu_usage.total_usage - row.precpu_stats.cpu_usage.total_usage;
  const system = (row.cpu_stats.system_cpu_usage ?? 0) - (row.precpu_stats.system_cpu_usage ?? 0);
  return cpu > 0 && system > 0 ? (cpu / system) * (row.cpu_stats.online_cpus ?? 1) * 100 : 0;
}

/** Usage without the page cache that can be dropped: total_inactive_file on cgroup v1, inactive_file on v2. */
function memoryUsed(row: StatsAnswer): number {
  const usage = row.memory_stats.usage ?? 0;
  const cache = row.memory_stats.stats?.['total_inactive_file'] ?? row.memory_stats.stats?.['inactive_file'] ?? 0;
  return cache < usage ? usage - cache : usage;
}

function netIo(row: StatsAnswer): string {
  const links = Object.values(row.networks ?? {});
  const sum = (take: (link: (typeof links)[number]) => number) => links.reduce((total, link) => total + take(link), 0);
  return `${humanSize(
    sum((link) => link.rx_bytes),
    3,
  )} / ${humanSize(
    sum((link) => link.tx_bytes),
    3,
  )}`;
}

function blockIo(row: StatsAnswer): string {
  const entries = row.blkio_stats.io_service_bytes_recursive ?? [];
  const sum = (op: string) => entries.filter((entry) => entry.op.toLowerCase() === op).reduce((total, entry) => total + entry.value, 0);
  return `${humanSize(sum('read'), 3)} / ${humanSize(sum('write'), 3)}`;
}
