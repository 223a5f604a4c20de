import { defineCommand } from '../command.ts';
import { ExitStatus } from '../exit-status.ts';
import { runSession } from '../stdio/session.ts';
import { proxySignals } from '../stdio/signals.ts';
import { waitForExit } from '../wait-for-exit.ts';

interface ContainerFacts {
  readonly Id: string;
  readonly State: { readonly Running: boolean; readonly Paused: boolean; readonly Restarting: boolean };
  readonly Config: { readonly Tty: boolean; readonly OpenStdin: boolean };
}

export const attach = defineCommand({
  name: 'attach',
  usage: '[OPTIONS] CONTAINER',
  summary: "Attach the terminal's input and output to a running container",
  flags: {
    'no-stdin': { kind: 'bool', help: 'Do not attach stdin' },
    'detach-keys': { kind: 'string', help: 'Keys that detach from the container' },
    'sig-proxy': { kind: 'bool', on: true, help: 'Pass signals on to the process' },
  },
  minArgs: 1,
  maxArgs: 1,
  async run(context, { values, args }) {
    const facts = await context.client.get<ContainerFacts>(`/containers/${args[0]}/json`);
    if (!facts.State.Running) throw new ExitStatus(1, 'You cannot attach to a stopped container, start it first');
    if (facts.State.Paused) throw new ExitStatus(1, 'You cannot attach to a paused container, unpause it first');
    const stdin = !values['no-stdin'] && facts.Config.OpenStdin;
    if (stdin && facts.Config.Tty && !context.isTerminal(0)) throw new ExitStatus(1, 'the input device is not a TTY');
    const { status } = await waitForExit(context.client, facts.Id, 'not-running');
    const stream = await context.client.hijack(`/containers/${facts.Id}/attach`, {
      query: { stream: true, stdin, stdout: true, stderr: true, detachKeys: values['detach-keys'] },
    });
    const stopProxy = values['sig-proxy'] && !facts.Config.Tty ? proxySignals(context.client, facts.Id) : undefined;
    try {
      const end = await runSession(context, {
        stream,
        terminal: facts.Config.Tty,
        stdin,
        detachKeys: values['detach-keys'],
        resize: async ({ rows, cols }) => void (await context.client.call('POST', `/containers/${facts.Id}/resize`, { query: { h: rows, w: cols } })),
      });
      if (end === 'ended') return await status;
      context.err('read escape sequence\n');
      return 1;
    } finally {
      stopProxy?.();
    }
  },
});
