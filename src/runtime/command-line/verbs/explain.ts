import { formatOp, opTable } from '../../../kernel/index.ts';
import { compileCreate } from '../../compile/create.ts';
import { readBundle } from '../../lifecycle/bundle.ts';
import { containerCgroup } from '../../lifecycle/cgroup.ts';
import { createOptions } from '../../lifecycle/create.ts';
import type { Command } from '../command.ts';
import { exactArgs } from '../flags.ts';

export const explain: Command = {
  usage: 'explain [options] <bundle>',
  flags: { calls: { kind: 'bool' } },
  run(context, flags, print) {
    exactArgs('explain', flags.args, 1);
    const bundle = readBundle(flags.args[0] ?? '.');
    const request = { id: 'ID', bundle: bundle.path, noPivot: false, noNewKeyring: false, preserveFds: 0, consoleSocket: 'CONSOLE-SOCKET' };
    const machine = context.machine();
    const cgroup = containerCgroup(bundle.spec, {
      id: request.id,
      machine,
      rootless: context.rootless,
      manager: context.cgroupManager,
      warn: context.warn,
    }).plan;
    for (const op of compileCreate(bundle.spec, createOptions(context, request, bundle, { start: { kind: 'at-once' }, detach: false }, { machine, cgroup })))
      print(flags.bool('calls') ? `${formatOp(op)}  # ${opTable[op.op].calls}` : formatOp(op));
    return 0;
  },
};
