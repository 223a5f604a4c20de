import { isCode } from '../../base/index.ts';
import { defineCommand } from '../command.ts';
import { pullImage, splitReference } from '../pull-image.ts';

export const imageRollback = defineCommand({
  name: 'image rollback',
  usage: '[OPTIONS] NAME[:TAG] [DIGEST]',
  summary: 'Let a name stand for what it stood for before, or for a version by its digest, which is pulled when it is not here',
  flags: { quiet: { kind: 'bool', short: 'q', help: 'Say nothing of a pull' } },
  minArgs: 1,
  maxArgs: 2,
  async run(context, { values, args: [name = '', version] }) {
    const rollBack = async () =>
      await context.client.post<{ readonly Name: string; readonly From: string; readonly To: string }>('/strake/images/rollback', { query: { name, version } });
    const isWhole = /^sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128})$/.test(version ?? '');
    const done = await rollBack().catch(async (error: unknown) => {
      if (!isWhole || !isCode(error, 'NotFound') || !/is not here$/.test((error as Error).message)) throw error;
      await pullImage(context, `${splitReference(name).name}@${version}`, { quiet: values.quiet, progress: context.err });
      return await rollBack();
    });
    context.out(`${done.Name}: ${done.From} -> ${done.To}\n`);
    return 0;
  },
});
