import type { EventMessage, ImageSummary, InfoResponse, VersionResponse, Volume } from '../../../api/docker/index.ts';

/** What the system routes need. */
export interface SystemBackend {
  version(): VersionResponse;
  info(): Promise<InfoResponse>;
  events(window: {
    readonly sinceMs?: number;
    readonly untilMs?: number;
    readonly filter: { any(name: string, test: (value: string) => boolean): boolean; labels(labels: Readonly<Record<string, string>>): boolean };
    readonly signal: AbortSignal;
  }): AsyncIterable<EventMessage>;
  diskUsage(): Promise<{
    readonly layersSizeBytes: number;
    readonly images: readonly ImageSummary[];
    /** Container summaries (`GET /containers/json?all=1&size=1`). */
    readonly containers: readonly unknown[];
    readonly volumes: readonly Volume[];
  }>;
  /** Asks the registry whether it takes these credentials. Unauthenticated when not; an identity token or nothing when so. */
  login(credentials: Credentials, signal: AbortSignal): Promise<{ readonly identityToken: string }>;
}

export interface Credentials {
  readonly serverAddress: string;
  readonly username: string;
  readonly password: string;
  readonly identityToken: string;
}
