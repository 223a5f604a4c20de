const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Decimal units with three digits, as docker shows sizes. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${Number(value.toPrecision(3))} ${units[unit]}`;
}

/** `2026-01-31 12:00` in UTC. */
export function formatTime(at: Date): string {
  return at.toISOString().slice(0, 16).replace('T', ' ');
}
