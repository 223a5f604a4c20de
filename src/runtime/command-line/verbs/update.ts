import { readFileSync } from 'node:fs';
import { StrakeError } from '../../../base/index.ts';
import { parseJson, type ResourcesSpec } from '../../../oci/index.ts';
import { updateContainer } from '../../lifecycle/update.ts';
import type { Command } from '../command.ts';
import { exactArgs, type ParsedFlags } from '../flags.ts';

/** Flag → where its number goes in the resources. */
const numberFlags = {
  'blkio-weight': ['blockIO', 'weight'],
  'cpu-burst': ['cpu', 'burst'],
  'cpu-idle': ['cpu', 'idle'],
  'cpu-period': ['cpu', 'period'],
  'cpu-quota': ['cpu', 'quota'],
  'cpu-rt-period': ['cpu', 'realtimePeriod'],
  'cpu-rt-runtime': ['cpu', 'realtimeRuntime'],
  'cpu-share': ['cpu', 'shares'],
  memory: ['memory', 'limit'],
  'memory-reservation': ['memory', 'reservation'],
  'memory-swap': ['memory', 'swap'],
  'pids-limit': ['pids', 'limit'],
} as const;
const textFlags = { 'cpuset-cpus': ['cpu', 'cpus'], 'cpuset-mems': ['cpu', 'mems'] } as const;

export const update: Command = {
  usage: 'update [options] <container-id>',
  flags: {
    resources: { kind: 'string', alias: 'r' },
    ...Object.fromEntries([...Object.keys(numberFlags), ...Object.keys(textFlags)].map((name) => [name, { kind: 'string' } as const])),
  },
  run(context, flags) {
    exactArgs('update', flags.args, 1);
    updateContainer(context, flags.args[0] ?? '', requestedResources(flags));
    return 0;
  },
};

function requestedResources(flags: ParsedFlags): ResourcesSpec {
  const file = flags.string('resources');
  if (file !== undefined) return parseJson(readFileSync(file === '-' ? 0 : file, 'utf8'), 'resources') as ResourcesSpec;
  const resources: Record<string, Record<string, bigint | number | string>> = {};
  const set = (group: string, field: string, value: bigint | number | string) => {
    resources[group] = { ...resources[group], [field]: value };
  };
  for (const [flag, [group, field]] of Object.entries(numberFlags)) {
    const text = flags.string(flag);
    if (text === undefined || text === '') continue;
    if (!/^-?\d{1,19}$/.test(text)) throw new StrakeError('InvalidArgument', `invalid value for ${flag}: ${text}`, { fields: { layer: 'runtime' } });
    set(group, field, flag === 'blkio-weight' ? Number(text) : BigInt(text));
  }
  for (const [flag, [group, field]] of Object.entries(textFlags)) {
    const text = flags.string(flag);
    if (text !== undefined && text !== '') set(group, field, text);
  }
  return resources as ResourcesSpec;
}
