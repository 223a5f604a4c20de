import { isCode } from '../../base/index.ts';
import { defineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { compileTemplate } from '../template/index.ts';

const paths = {
  container: (name: string) => `/containers/${encodeURIComponent(name)}/json`,
  image: (name: string) => `/images/${encodeURIComponent(name)}/json`,
  network: (name: string) => `/networks/${encodeURIComponent(name)}`,
  volume: (name: string) => `/volumes/${encodeURIComponent(name)}`,
} as const;

type Kind = keyof typeof paths;

function isKind(text: string): text is Kind {
  return Object.hasOwn(paths, text);
}

export const inspect = defineCommand({
  name: 'inspect',
  usage: '[OPTIONS] NAME|ID [NAME|ID...]',
  summary: 'Show everything about containers, images, networks or volumes',
  flags: {
    format: { kind: 'string', short: 'f', help: "Format: 'json' or a Go template" },
    size: { kind: 'bool', short: 's', help: 'Show the sizes of a container' },
    type: { kind: 'string', help: 'Only this kind: container, image, network or volume' },
  },
  minArgs: 1,
  maxArgs: Number.POSITIVE_INFINITY,
  async run(context, { values, args }) {
    const template = values.format === undefined || values.format === 'json' ? undefined : compileTemplate(values.format);
    const found: unknown[] = [];
    let failures = 0;
    for (const name of args) {
      try {
        const object = await find(context, name, values.type, values.size);
        if (template) context.out(`${template(object)}\n`);
        else found.push(object);
      } catch (error) {
        failures += 1;
        context.err(`${isCode(error, 'NotFound') ? `Error: No such ${values.type ?? 'object'}: ${name}` : (error as Error).message}\n`);
      }
    }
    if (values.format === 'json') context.out(found.map((object) => `${JSON.stringify(object)}\n`).join(''));
    else if (!template) context.out(`${JSON.stringify(found, undefined, 4)}\n`);
    return failures > 0 ? 1 : 0;
  },
});

async function find(context: Context, name: string, type: string | undefined, size: boolean): Promise<unknown> {
  if (type !== undefined && !isKind(type)) throw new Error(`"${type}" is not a valid value for --type`);
  const kinds = type === undefined ? (Object.keys(paths) as Kind[]) : [type];
  let failure: unknown;
  for (const kind of kinds) {
    try {
      return await context.client.get<unknown>(paths[kind](name), { query: { size: size && kind === 'container' ? true : undefined } });
    } catch (error) {
      if (!isCode(error, 'NotFound')) throw error;
      failure = error;
    }
  }
  throw failure;
}
