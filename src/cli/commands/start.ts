import { defineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { ExitStatus } from '../exit-status.ts';
import { forEachName } from '../for-each.ts';
import { runSession } from '../stdio/session.ts';
import { waitForExit } from '../wait-for-exit.ts';

interface ContainerFacts {
  readonly Id: string;
  readonly Config: { readonly Tty: boolean; readonly OpenStdin: boolean };
}

export const start = defineCommand({
  name: 'start',
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Start one or more stopped containers',
  flags: {
    attach: { kind: 'bool', short: 'a', help: 'Attach to stdout and stderr, and pass on signals' },
    interactive: { kind: 'bool', short: 'i', help: "Attach the container's stdin" },
    'detach-keys': { kind: 'string', help: 'Keys that detach from the container' },
  },
  minArgs: 1,
  maxArgs: Number.POSITIVE_INFINITY,
  async run(context, { values, args }) {
    if (!values.attach && !values.interactive)
      return await forEachName(
        context,
        args,
        async (name) => {
          await context.client.post(`/containers/${name}/start`);
          return name;
        },
        'Error: failed to start containers',
      );
    if (args.length > 1) throw new ExitStatus(1, 'strake: you cannot start and attach multiple containers at once');
    return await startAttached(context, args[0] ?? '', values.interactive, values['detach-keys']);
  },
});

async function startAttached(context: Context, name: string, interactive: boolean, detachKeys: string | undefined): Promise<number> {
  const facts = await context.client.get<ContainerFacts>(`/containers/${name}/json`);
  const stdin = interactive && facts.Config.OpenStdin;
  const [stream, { status }] = await Promise.all([
    context.client.hijack(`/containers/${facts.Id}/attach`, { query: { stream: true, stdin, stdout: true, stderr: true, detachKeys } }),
    waitForExit(context.client, facts.Id, 'next-exit'),
  ]);
  // Awaited below unless the start fails, whose own error counts then.
  status.catch(() => undefined);
  try {
    await context.client.post(`/containers/${facts.Id}/start`);
  } catch (error) {
    stream.close();
    throw error;
  }
  const end = await runSession(context, {
    stream,
    terminal: facts.Config.Tty,
    stdin,
    detachKeys,
    resize: async ({ rows, cols }) => void (await context.client.call('POST', `/containers/${facts.Id}/resize`, { query: { h: rows, w: cols } })),
  });
  return end === 'detached' ? 0 : await status;
}
