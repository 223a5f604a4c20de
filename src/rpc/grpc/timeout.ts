/** Milliseconds in each unit of `grpc-timeout`. */
const units: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };
/** Eight digits are the most that gRPC allows. */
const largest = 99_999_999;

/** `grpc-timeout` in milliseconds; undefined for what is none. */
export function parseTimeout(text: string): number | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(text);
  return match === null ? undefined : Number(match[1]) * (units[match[2] ?? ''] ?? 0);
}

export function formatTimeout(timeoutMs: number): string {
  const ms = Math.max(1, Math.ceil(timeoutMs));
  return ms <= largest ? `${ms}m` : `${Math.min(largest, Math.ceil(ms / 1000))}S`;
}
