import type { EventMessage } from '../../api/docker/index.ts';

/** What the filters of a request must offer; see server/query.ts. */
export interface EventFilter {
  any(name: string, test: (value: string) => boolean): boolean;
  labels(labels: Readonly<Record<string, string>>): boolean;
}

/** Docker's rules (moby daemon/events/filter.go): values of one key are alternatives, all keys must hold. */
export function matchesFilter(message: EventMessage, filter: EventFilter): boolean {
  const { Type: type, Action: action, Actor: actor } = message;
  return (
    filter.any('event', (value) => action === value || action.startsWith(`${value}:`)) &&
    filter.any('type', (value) => type === value) &&
    filter.any('scope', (value) => message.scope === value) &&
    (['container', 'volume', 'network', 'daemon'] as const).every((key) => filter.any(key, (value) => type === key && namesActor(value, actor))) &&
    filter.any('image', (value) => namesImage(value, message)) &&
    filter.labels(actor.Attributes)
  );
}

function namesActor(value: string, actor: EventMessage['Actor']): boolean {
  return actor.ID.startsWith(value) || (actor.Attributes['name'] ?? '').startsWith(value);
}

function namesImage(value: string, { Type: type, Actor: actor }: EventMessage): boolean {
  const name = (type === 'image' ? actor.Attributes['name'] : actor.Attributes['image']) ?? '';
  return (type === 'image' && actor.ID === value) || name === value || name.replace(/:[^/:]*$/, '') === value;
}
