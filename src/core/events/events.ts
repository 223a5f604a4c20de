/** Publish and subscribe. A subscriber that does not read is cut off after its buffer (1024 events), with a ResourceExhausted error; it never holds back others. */
export interface StrakeEvent {
  readonly timestamp: Date;
  readonly namespace: string;
  /** containerd's topics (`/tasks/exit`), or the Engine's (`/engine/container/die`). */
  readonly topic: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

export interface EventBus {
  publish(topic: string, payload: Readonly<Record<string, unknown>>): void;
  subscribe(options: { readonly topics?: readonly string[]; readonly signal?: AbortSignal }): AsyncIterable<StrakeEvent>;
}
