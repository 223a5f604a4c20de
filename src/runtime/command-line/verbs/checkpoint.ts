import { StrakeError } from '../../../base/index.ts';
import { checkpointContainer } from '../../lifecycle/checkpoint.ts';
import type { Command } from '../command.ts';
import { exactArgs } from '../flags.ts';
import { criuFlags, criuRequestOf } from './criu-flags.ts';

export const checkpoint: Command = {
  usage: 'checkpoint [options] <container-id>',
  flags: {
    ...criuFlags,
    'parent-path': { kind: 'string' },
    'leave-running': { kind: 'bool' },
    'tcp-skip-in-flight': { kind: 'bool' },
    'link-remap': { kind: 'bool' },
    'status-fd': { kind: 'string' },
    'page-server': { kind: 'string' },
    'pre-dump': { kind: 'bool' },
  },
  async run(context, flags) {
    exactArgs('checkpoint', flags.args, 1);
    await checkpointContainer(context, {
      ...criuRequestOf(flags),
      parentPath: flags.string('parent-path') || undefined,
      preDump: flags.bool('pre-dump'),
      leaveRunning: flags.bool('leave-running'),
      tcpSkipInFlight: flags.bool('tcp-skip-in-flight'),
      linkRemap: flags.bool('link-remap'),
      pageServer: pageServer(flags.string('page-server') ?? ''),
      statusFd: statusDescriptor(flags.string('status-fd') ?? '-1'),
    });
    return 0;
  },
};

function pageServer(text: string): { readonly address: string; readonly port: number } | undefined {
  if (text === '') return undefined;
  const [, address, port = ''] = /^\[?(.+?)\]?:(\d{1,5})$/.exec(text) ?? [];
  if (address === undefined) throw refuse('Use --page-server ADDRESS:PORT to specify page server');
  return { address, port: Number(port) };
}

function statusDescriptor(text: string): number | undefined {
  if (text === '-1') return undefined;
  if (!/^\d{1,5}$/.test(text) || Number(text) < 3) throw refuse(`invalid --status-fd argument ${text}`);
  return Number(text);
}

function refuse(message: string): StrakeError {
  return new StrakeError('InvalidArgument', message, { fields: { layer: 'runtime' } });
}
