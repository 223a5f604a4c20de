/** An entry of `GET /events` (API 1.51). `status`, `id` and `from` repeat action, actor and image for container and image events. */
export interface EventMessage {
  readonly status?: string;
  readonly id?: string;
  readonly from?: string;
  readonly Type: EventType;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly scope: 'local';
  /** Seconds since the epoch. */
  readonly time: number;
  /** Nanoseconds since the epoch: beyond 2^53, so its low digits are those of a double. */
  readonly timeNano: number;
}

export type EventType = 'container' | 'image' | 'network' | 'volume' | 'daemon';
