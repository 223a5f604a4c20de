import { readFileSync } from 'node:fs';
import { defineCommand } from '../command.ts';
import { ExitStatus } from '../exit-status.ts';
import { runSession } from '../stdio/session.ts';
import { terminalSize } from '../stdio/stdin.ts';

export const exec = defineCommand({
  name: 'exec',
  usage: '[OPTIONS] CONTAINER COMMAND [ARG...]',
  summary: 'Execute a command in a running container',
  flags: {
    detach: { kind: 'bool', short: 'd', help: 'Run the command in the background' },
    'detach-keys': { kind: 'string', help: 'Keys that detach from the command' },
    env: { kind: 'list', short: 'e', help: 'Set an environment variable' },
    'env-file': { kind: 'list', help: 'Read environment variables from a file' },
    interactive: { kind: 'bool', short: 'i', help: 'Keep stdin open' },
    privileged: { kind: 'bool', help: 'Give the command every capability' },
    tty: { kind: 'bool', short: 't', help: 'Give it a pseudo-terminal' },
    user: { kind: 'string', short: 'u', help: 'User name or id (name|uid[:group|gid])' },
    workdir: { kind: 'string', short: 'w', help: 'Working directory' },
  },
  stopAtArgument: true,
  minArgs: 2,
  maxArgs: Number.POSITIVE_INFINITY,
  async run(context, { values, args }) {
    const [container = '', ...command] = args;
    if (values.tty && values.interactive && !values.detach && !context.isTerminal(0)) throw new ExitStatus(1, 'the input device is not a TTY');
    const fileEnv = values['env-file'].flatMap((file) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#')),
    );
    const size = values.tty && context.isTerminal(1) ? terminalSize() : undefined;
    const { Id: id } = await context.client.post<{ readonly Id: string }>(`/containers/${container}/exec`, {
      body: {
        User: values.user ?? '',
        Privileged: values.privileged,
        Tty: values.tty,
        AttachStdin: values.interactive && !values.detach,
        AttachStdout: !values.detach,
        AttachStderr: !values.detach,
        DetachKeys: values['detach-keys'] ?? '',
        Env: [...fileEnv, ...values.env].flatMap((entry) =>
          entry.includes('=') ? [entry] : context.env[entry] === undefined ? [] : [`${entry}=${context.env[entry]}`],
        ),
        WorkingDir: values.workdir ?? '',
        Cmd: command,
        // From its first moment: a size that is told after the start may come too early or too late.
        ...(size === undefined ? {} : { ConsoleSize: [size.rows, size.cols] }),
      },
    });
    if (values.detach) {
      await context.client.post(`/exec/${id}/start`, { body: { Detach: true, Tty: values.tty } });
      return 0;
    }
    const stream = await context.client.hijack(`/exec/${id}/start`, { body: { Detach: false, Tty: values.tty } });
    const end = await runSession(context, {
      stream,
      terminal: values.tty,
      stdin: values.interactive,
      detachKeys: values['detach-keys'],
      resize: async ({ rows, cols }) => void (await context.client.call('POST', `/exec/${id}/resize`, { query: { h: rows, w: cols } })),
    });
    if (end === 'detached') return 0;
    const state = await context.client.get<{ readonly ExitCode: number | null }>(`/exec/${id}/json`);
    return state.ExitCode ?? 0;
  },
});
