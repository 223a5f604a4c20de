import { demultiplex } from '../../docker-client/index.ts';
import { defineCommand } from '../command.ts';
import { timestampFlag } from '../format/timestamp.ts';

export const logs = defineCommand({
  name: 'logs',
  usage: '[OPTIONS] CONTAINER',
  summary: 'Fetch the logs of a container',
  flags: {
    details: { kind: 'bool', help: 'Show the extra details that the log has' },
    follow: { kind: 'bool', short: 'f', help: 'Follow the output' },
    since: { kind: 'string', help: 'Only from this time on (2013-01-02T13:23:37Z, or 42m for 42 minutes ago)' },
    tail: { kind: 'string', short: 'n', help: 'Number of lines from the end (default "all")' },
    timestamps: { kind: 'bool', short: 't', help: 'Show the time of each line' },
    until: { kind: 'string', help: 'Only before this time' },
  },
  minArgs: 1,
  maxArgs: 1,
  async run(context, { values, args }) {
    const { Id: id, Config: config } = await context.client.get<{ readonly Id: string; readonly Config: { readonly Tty: boolean } }>(
      `/containers/${args[0]}/json`,
    );
    const response = await context.client.call('GET', `/containers/${id}/logs`, {
      query: {
        stdout: true,
        stderr: true,
        follow: values.follow,
        timestamps: values.timestamps,
        details: values.details,
        tail: values.tail ?? 'all',
        since: timestampFlag(values.since),
        until: timestampFlag(values.until),
      },
    });
    if (config.Tty) for await (const chunk of response.body) context.out(chunk);
    else for await (const frame of demultiplex(response.body)) frame.stream === 'stdout' ? context.out(frame.data) : context.err(frame.data);
    return 0;
  },
});
