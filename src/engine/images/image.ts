import type { ImageFacts } from '../../core/index.ts';
import { familiarName, type ImageConfig, parseReference, repositoryName } from '../../oci/index.ts';

/** An image and the names that stand for it. */
export interface EngineImage extends ImageFacts {
  /** Tag names (`docker.io/library/busybox:latest`), sorted. */
  readonly tags: readonly string[];
  /** Digest names (`docker.io/library/busybox@sha256:…`) that it was pulled under, sorted. */
  readonly pulledAs: readonly string[];
  /** When a name was last given to it. */
  readonly taggedAt: Date;
}

/** An image that lost its last name is kept under this one; no reference of a user reads so. */
const danglingPrefix = 'dangling@';

export const danglingName = (targetDigest: string): string => `${danglingPrefix}${targetDigest}`;
export const isDangling = (name: string): boolean => name.startsWith(danglingPrefix);
export const isDigestName = (name: string): boolean => name.includes('@');

/** `docker.io/library/busybox:latest` → `busybox:latest` */
export const familiar = (name: string): string => familiarName(parseReference(name));

/** `docker.io/library/busybox:latest` → `docker.io/library/busybox` */
export const repositoryOf = (name: string): string => repositoryName(parseReference(name));

/** Seconds since the epoch; 0 when the configuration does not say, or says nonsense. */
export function createdSeconds(config: ImageConfig): number {
  const ms = typeof config.created === 'string' ? Date.parse(config.created) : Number.NaN;
  return Number.isNaN(ms) ? 0 : Math.floor(ms / 1000);
}
