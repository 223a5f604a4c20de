/** Bounds of what a registry may send. Manifests and configurations: `documentLimitBytes` of core. */
export const registryLimits = {
  tokenBytes: 1 << 20,
  errorBytes: 64 << 10,
  redirects: 10,
  /** Tries of one request, or of a transfer without progress between. */
  attempts: 5,
  /** A registry that is busy may ask for so long a pause (Retry-After). */
  retryAfterMs: 60_000,
  /** Pages of one list of referrers. */
  referrerPages: 100,
} as const;

/** A transfer that brings nothing for so long is over. */
export const defaultIdleTimeoutMs = 5 * 60_000;

/** docker's max-concurrent-uploads. */
export const defaultUploads = 5;

/** A blob up to this size is sent in one request; a larger one in a way that goes on where it broke. */
export const monolithicLimitBytes = 4 << 20;

/** containerd's max_concurrent_downloads, docker's max-concurrent-downloads. */
export const defaultDownloads = 3;
