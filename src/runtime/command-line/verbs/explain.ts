import { formatOp, type Op, opTable } from '../../../kernel/index.ts';
import { compileCreate } from '../../compile/create.ts';
import { describeOp } from '../../explain/describe.ts';
import { sectionsOf } from '../../explain/sections.ts';
import { readBundle } from '../../lifecycle/bundle.ts';
import { containerCgroup } from '../../lifecycle/cgroup.ts';
import { createOptions } from '../../lifecycle/create.ts';
import type { Command } from '../command.ts';
import { exactArgs } from '../flags.ts';

/** Of the words beside an operation; longer ones push theirs to the right. */
const operationColumns = 72;

export const explain: Command = {
  usage: 'explain [options] <bundle>',
  flags: { calls: { kind: 'bool' }, json: { kind: 'bool' } },
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
    const mode = { start: { kind: 'at-once' }, detach: false } as const;
    const program = compileCreate(bundle.spec, createOptions(context, request, bundle, mode, { machine, cgroup }));
    if (flags.bool('json')) print(JSON.stringify(asJson(program), undefined, 2));
    else for (const line of asText(program, flags.bool('calls'))) print(line);
    return 0;
  },
};

function asText(program: readonly Op[], withCalls: boolean): readonly string[] {
  return sectionsOf(program).flatMap(({ title, operations }, section) => [
    ...(section === 0 ? [] : ['']),
    `# ${title}`,
    ...operations.map(({ op }) => `${formatOp(op).padEnd(operationColumns)}  # ${withCalls ? opTable[op.op].calls : describeOp(op)}`),
  ]);
}

function asJson(program: readonly Op[]): readonly object[] {
  return sectionsOf(program).flatMap(({ title, operations }) =>
    operations.map(({ index, op }) => {
      const { op: operation, side, ...fields } = op;
      return { index, section: title, side, operation, does: describeOp(op), arguments: plainFields(fields), text: formatOp(op), calls: opTable[op.op].calls };
    }),
  );
}

/** 64-bit numbers as text, bytes in base64. */
function plainFields(fields: object): object {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]: [string, unknown]) => {
      if (typeof value === 'bigint') return [name, String(value)];
      return [name, value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value];
    }),
  );
}
