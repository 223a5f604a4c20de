import { StrakeError } from '../../base/index.ts';
import { defineCommand } from '../command.ts';
import { attachedStreams } from '../container-options/body.ts';
import { containerFlags } from '../container-options/flags.ts';
import type { Context } from '../context.ts';
import { createContainer } from '../create-container.ts';
import { ExitStatus } from '../exit-status.ts';
import { runSession } from '../stdio/session.ts';
import { proxySignals } from '../stdio/signals.ts';
import { waitForExit } from '../wait-for-exit.ts';

export const run = defineCommand({
  name: 'run',
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  summary: 'Create and run a new container from an image',
  flags: {
    ...containerFlags,
    detach: { kind: 'bool', short: 'd', help: 'Run in the background and print the container id' },
    'detach-keys': { kind: 'string', help: 'Keys that detach from the container' },
    'sig-proxy': { kind: 'bool', on: true, help: 'Pass signals on to the process' },
  },
  stopAtArgument: true,
  minArgs: 1,
  maxArgs: Number.POSITIVE_INFINITY,
  async run(context, parsed) {
    const { values } = parsed;
    if (values.tty && values.interactive && !values.detach && !context.isTerminal(0)) throw new ExitStatus(1, 'the input device is not a TTY');
    const id = await asRunFailure(() => createContainer(context, parsed));
    if (values.detach) {
      await asRunFailure(() => context.client.post(`/containers/${id}/start`));
      context.out(`${id}\n`);
      return 0;
    }
    return await runAttached(context, id, { ...values, streams: attachedStreams(values), detachKeys: values['detach-keys'], sigProxy: values['sig-proxy'] });
  },
});

interface AttachedRun {
  readonly streams: ReturnType<typeof attachedStreams>;
  readonly tty: boolean;
  readonly rm: boolean;
  readonly detachKeys: string | undefined;
  readonly sigProxy: boolean;
}

/** Attaches before the start, so that no output is lost, and registers the wait before it, so that no exit is. */
async function runAttached(context: Context, id: string, options: AttachedRun): Promise<number> {
  const { streams } = options;
  const [stream, { status }] = await asRunFailure(() =>
    Promise.all([
      context.client.hijack(`/containers/${id}/attach`, {
        query: { stream: true, stdin: streams.stdin, stdout: streams.stdout, stderr: streams.stderr, detachKeys: options.detachKeys },
      }),
      waitForExit(context.client, id, options.rm ? 'removed' : 'next-exit'),
    ]),
  );
  // Awaited below unless the start fails; then its own failure is of no interest.
  status.catch(() => undefined);
  const stopProxy = options.sigProxy && !options.tty ? proxySignals(context.client, id) : undefined;
  try {
    await asRunFailure(() => context.client.post(`/containers/${id}/start`));
    const end = await runSession(context, {
      stream,
      terminal: options.tty,
      stdin: streams.stdin,
      detachKeys: options.detachKeys,
      resize: async ({ rows, cols }) => void (await context.client.call('POST', `/containers/${id}/resize`, { query: { h: rows, w: cols } })),
    });
    return end === 'detached' ? 0 : await status;
  } finally {
    stopProxy?.();
    stream.close();
  }
}

/** Docker's exit statuses: 127 when the command is not found, 126 when it cannot be run, 125 for every other failure of run itself. */
async function asRunFailure<Result>(step: () => Promise<Result>): Promise<Result> {
  try {
    return await step();
  } catch (error) {
    if (!(error instanceof StrakeError)) throw error;
    const message = error.fields.layer === 'engine' ? `Error response from daemon: ${error.message}` : error.message;
    throw new ExitStatus(runStatus(error.message), `strake: ${message}\n\nRun 'strake run --help' for more information`);
  }
}

function runStatus(message: string): number {
  if (/executable file not found|no such file or directory|system cannot find the file specified/.test(message)) return 127;
  return /permission denied|is a directory|exec format error/.test(message) ? 126 : 125;
}
