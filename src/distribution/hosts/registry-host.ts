import type { TlsSettings } from '../http/tls.ts';

/** What a host may be asked for, in hosts.toml's words: blobs and manifests by digest, tags to digests, uploads, referrers. */
export const hostCapabilities = ['pull', 'resolve', 'push', 'referrers'] as const;
export type HostCapability = (typeof hostCapabilities)[number];

/** One host that serves a registry's names: the registry itself, or a mirror of it. */
export interface RegistryHost {
  /** Ends with a slash; below it are the repositories, usually `/v2/`. */
  readonly base: URL;
  /** https is tried first, and then http: an insecure registry whose configuration does not say how it is spoken to. */
  readonly mayBePlain: boolean;
  readonly capabilities: ReadonlySet<HostCapability>;
  readonly tls: TlsSettings;
  /** Sent with every request to this host, and to no other. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of a mirror the registry's credentials are not known. */
  readonly isMirror: boolean;
  /** A connection must stand in so long a time; undefined: as the kernel has it. */
  readonly dialTimeoutMs?: number;
}

/** The hosts for the names of a registry (`docker.io`, `localhost:5000`), in the order in which they are asked; the registry itself is last. */
export type HostResolver = (domain: string) => Promise<readonly RegistryHost[]>;
