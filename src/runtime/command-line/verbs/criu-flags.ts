import path from 'node:path';
import type { CriuRequest } from '../../lifecycle/criu.ts';
import type { FlagTable, ParsedFlags } from '../flags.ts';

/** Flags that checkpoint and restore share. */
export const criuFlags: FlagTable = {
  'image-path': { kind: 'string' },
  'work-path': { kind: 'string' },
  'tcp-established': { kind: 'bool' },
  'ext-unix-sk': { kind: 'bool' },
  'shell-job': { kind: 'bool' },
  'lazy-pages': { kind: 'bool' },
  'file-locks': { kind: 'bool' },
  'manage-cgroups-mode': { kind: 'string' },
  'empty-ns': { kind: 'list' },
  'auto-dedup': { kind: 'bool' },
};

export function criuRequestOf(flags: ParsedFlags): CriuRequest {
  const workPath = flags.string('work-path') || undefined;
  return {
    id: flags.args[0] ?? '',
    imagePath: path.resolve(flags.string('image-path') || 'checkpoint'),
    workPath: workPath === undefined ? undefined : path.resolve(workPath),
    manageCgroupsMode: flags.string('manage-cgroups-mode') || 'soft',
    flags: {
      tcpEstablished: flags.bool('tcp-established'),
      extUnixSk: flags.bool('ext-unix-sk'),
      shellJob: flags.bool('shell-job'),
      fileLocks: flags.bool('file-locks'),
      autoDedup: flags.bool('auto-dedup'),
      lazyPages: flags.bool('lazy-pages'),
    },
  };
}
