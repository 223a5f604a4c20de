/** Bounds of what a registry may send. Manifests and configurations: `documentLimitBytes` of core. */
export const registryLimits = {
  tokenBytes: 1 << 20,
  errorBytes: 64 << 10,
  redirects: 10,
  /** Tries of one request, or of a blob without progress between. */
  attempts: 5,
} as const;

/** A transfer that brings nothing for so long is over. */
export const defaultIdleTimeoutMs = 5 * 60_000;
