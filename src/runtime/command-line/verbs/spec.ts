import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { StrakeError } from '../../../base/index.ts';
import { readCgroupLayout } from '../../../kernel/index.ts';
import type { RuntimeSpec } from '../../../oci/index.ts';
import { defaultSpec } from '../../default-spec.ts';
import { rootlessSpec } from '../../rootless-spec.ts';
import type { Command } from '../command.ts';
import { exactArgs } from '../flags.ts';

export const spec: Command = {
  usage: 'spec [options]',
  flags: { bundle: { kind: 'string', alias: 'b' }, rootless: { kind: 'bool' } },
  run(_context, flags) {
    exactArgs('spec', flags.args, 0);
    const file = path.join(flags.string('bundle') || '.', 'config.json');
    const ids = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
    const made = flags.bool('rootless') ? rootlessSpec(specOfMachine(), ids) : specOfMachine();
    try {
      writeFileSync(file, `${JSON.stringify(made, undefined, '\t')}\n`, { flag: 'wx', mode: 0o666 });
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
      throw new StrakeError('AlreadyExists', 'File config.json exists. Remove it first', { cause, fields: { layer: 'runtime' } });
    }
    return 0;
  },
};

/** A cgroup namespace on a pure v2 machine only, as runc writes it: on v1 people look up their own paths. */
function specOfMachine(): RuntimeSpec {
  const spec = defaultSpec();
  if (readCgroupLayout().kind === 'v2') return spec;
  const namespaces = (spec.linux?.namespaces ?? []).filter(({ type }) => type !== 'cgroup');
  return { ...spec, linux: { ...spec.linux, namespaces } };
}
