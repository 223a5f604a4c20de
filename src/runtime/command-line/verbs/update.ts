import { existsSync, readFileSync } from 'node:fs';
import { StrakeError } from '../../../base/index.ts';
import { parseResourcesSpec, type ResourcesSpec } from '../../../oci/index.ts';
import { updateContainer } from '../../lifecycle/update.ts';
import type { Command } from '../command.ts';
import { exactArgs, type ParsedFlags } from '../flags.ts';
import { parseInteger, parseSize } from '../sizes.ts';

type Parse = (flag: string, text: string) => bigint | number | string;
const unsigned: Parse = (flag, text) => parseInteger(flag, text, false);
const signed: Parse = (flag, text) => parseInteger(flag, text, true);
const text: Parse = (_flag, value) => value;

/** Flag → where its value goes in the resources. */
const resourceFlags: Readonly<Record<string, readonly [group: string, field: string, parse: Parse]>> = {
  'blkio-weight': ['blockIO', 'weight', (flag, value) => Number(parseInteger(flag, value, false))],
  'cpu-burst': ['cpu', 'burst', unsigned],
  'cpu-idle': ['cpu', 'idle', signed],
  'cpu-period': ['cpu', 'period', unsigned],
  'cpu-quota': ['cpu', 'quota', signed],
  'cpu-rt-period': ['cpu', 'realtimePeriod', unsigned],
  'cpu-rt-runtime': ['cpu', 'realtimeRuntime', signed],
  'cpu-share': ['cpu', 'shares', unsigned],
  'cpuset-cpus': ['cpu', 'cpus', text],
  'cpuset-mems': ['cpu', 'mems', text],
  'kernel-memory': ['memory', 'kernel', parseSize],
  'kernel-memory-tcp': ['memory', 'kernelTCP', parseSize],
  memory: ['memory', 'limit', parseSize],
  'memory-reservation': ['memory', 'reservation', parseSize],
  'memory-swap': ['memory', 'swap', parseSize],
  'pids-limit': ['pids', 'limit', signed],
};

export const update: Command = {
  usage: 'update [options] <container-id>',
  flags: {
    resources: { kind: 'string', alias: 'r' },
    'l3-cache-schema': { kind: 'string' },
    'mem-bw-schema': { kind: 'string' },
    ...Object.fromEntries(Object.keys(resourceFlags).map((name) => [name, { kind: 'string' } as const])),
  },
  run(context, flags) {
    exactArgs('update', flags.args, 1);
    refuseResctrl(flags);
    updateContainer(context, flags.args[0] ?? '', requestedResources(flags));
    return 0;
  },
};

/** What is read from a file is all that is asked for: runc ignores the other flags then. */
function requestedResources(flags: ParsedFlags): ResourcesSpec {
  const file = flags.string('resources');
  if (file) return parseResourcesSpec(readFileSync(file === '-' ? 0 : file, 'utf8'));
  const resources: Record<string, Record<string, bigint | number | string>> = {};
  for (const [flag, [group, field, parse]] of Object.entries(resourceFlags)) {
    const value = flags.string(flag);
    if (value) resources[group] = { ...resources[group], [field]: parse(flag, value) };
  }
  return resources as ResourcesSpec;
}

/** The schemata of a container's resctrl group (Documentation/filesystems/resctrl.rst): runc's words where the machine has none, or the container is in none. */
function refuseResctrl(flags: ParsedFlags): void {
  const refuse = (message: string) => new StrakeError('FailedPrecondition', message, { fields: { layer: 'runtime' } });
  const l3 = Boolean(flags.string('l3-cache-schema'));
  const bandwidth = Boolean(flags.string('mem-bw-schema'));
  if (l3 && !existsSync('/sys/fs/resctrl/info/L3')) throw refuse('Intel RDT/CAT: l3 cache schema is not enabled');
  if (bandwidth && !existsSync('/sys/fs/resctrl/info/MB')) throw refuse('Intel RDT/MBA: memory bandwidth schema is not enabled');
  if (l3 || bandwidth) throw refuse('updating a non-existent Intel RDT configuration is not supported');
}
