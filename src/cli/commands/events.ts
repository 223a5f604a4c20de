import { defineCommand } from '../command.ts';
import { filterQuery } from '../filters.ts';
import { timestampFlag } from '../format/timestamp.ts';
import { compileTemplate } from '../template/index.ts';

interface EngineEvent {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly time: number;
  readonly timeNano: number;
}

export const events = defineCommand({
  name: 'events',
  usage: '[OPTIONS]',
  summary: 'Follow events of the engine',
  flags: {
    filter: { kind: 'list', short: 'f', help: 'Show only what matches (event=die, container=web, …)' },
    format: { kind: 'string', help: "Format: 'json' or a Go template" },
    since: { kind: 'string', help: 'Begin with the events since this time' },
    until: { kind: 'string', help: 'End at this time' },
  },
  minArgs: 0,
  maxArgs: 0,
  async run(context, { values }) {
    const template = values.format === undefined || values.format === 'json' ? undefined : compileTemplate(values.format);
    const query = { filters: filterQuery(values.filter), since: timestampFlag(values.since), until: timestampFlag(values.until) };
    for await (const event of context.client.lines<EngineEvent>('GET', '/events', { query })) {
      if (template) context.out(`${template(event)}\n`);
      else context.out(`${values.format === 'json' ? JSON.stringify(event) : describe(event)}\n`);
    }
    return 0;
  },
});

function describe(event: EngineEvent): string {
  const attributes = Object.entries(event.Actor.Attributes ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`);
  const extra = attributes.length > 0 ? ` (${attributes.join(', ')})` : '';
  return `${localTime(event)} ${event.Type} ${event.Action} ${event.Actor.ID}${extra}`;
}

/** RFC 3339 with nanoseconds in local time. JSON numbers lose the last digits of timeNano: the fraction is exact to about 256 ns. */
function localTime(event: EngineEvent): string {
  const date = new Date(event.time * 1000);
  const offset = -date.getTimezoneOffset();
  const seconds = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, 19);
  const nanos = String(event.timeNano).slice(-9).padStart(9, '0');
  const pad = (value: number) => String(value).padStart(2, '0');
  const zone = offset === 0 ? 'Z' : `${offset < 0 ? '-' : '+'}${pad(Math.trunc(Math.abs(offset) / 60))}:${pad(Math.abs(offset) % 60)}`;
  return `${seconds}.${nanos}${zone}`;
}
