import { writeFileSync } from 'node:fs';
import { isCode } from '../base/index.ts';
import { containerBody } from './container-options/body.ts';
import type { ContainerFlags } from './container-options/flags.ts';
import type { Context } from './context.ts';
import { ExitStatus } from './exit-status.ts';
import type { ParsedFlags } from './flags/flags.ts';
import { pullImage } from './pull-image.ts';

/** Creates the container that the flags describe, pulling its image when that is missing (or `--pull always`). Answers its id. */
export async function createContainer(context: Context, parsed: ParsedFlags<ContainerFlags>): Promise<string> {
  const { values } = parsed;
  const image = parsed.args[0] ?? '';
  const body = containerBody(parsed, context.env);
  const create = () =>
    context.client.post<{ readonly Id: string; readonly Warnings?: readonly string[] }>('/containers/create', {
      query: { name: values.name, platform: values.platform },
      body,
    });
  const pull = () => pullImage(context, image, { quiet: values.quiet, platform: values.platform, progress: context.err });
  if (values.pull !== undefined && !['always', 'missing', 'never'].includes(values.pull))
    throw new ExitStatus(125, `strake: invalid pull option: '${values.pull}': must be one of "always", "missing" or "never"`);
  if (values.pull === 'always') await pull();
  let created: Awaited<ReturnType<typeof create>>;
  try {
    created = await create();
  } catch (error) {
    if (!isCode(error, 'NotFound') || !/^No such image/i.test((error as Error).message) || values.pull === 'never') throw error;
    if (!values.quiet) context.err(`Unable to find image '${withTag(image)}' locally\n`);
    await pull();
    created = await create();
  }
  for (const warning of created.Warnings ?? []) context.err(`WARNING: ${warning}\n`);
  if (values.cidfile !== undefined) writeFileSync(values.cidfile, created.Id, { flag: 'wx' });
  return created.Id;
}

/** "busybox" is "busybox:latest" to people. */
function withTag(image: string): string {
  return /[:@][^/]*$/.test(image) ? image : `${image}:latest`;
}
