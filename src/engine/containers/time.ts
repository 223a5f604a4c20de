const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** RFC 3339 with nine digits; the clock gives microseconds at best. */
export function rfc3339Nano(ms: number): string {
  const whole = Math.floor(ms);
  const nanos = Math.round((ms - whole) * 1e6);
  const text = new Date(whole).toISOString().slice(0, -1) + String(nanos).padStart(6, '0');
  return `${text.replace(/\.?0+$/, '')}Z`;
}

/** The wall clock in ms with fractions; it follows when it is set. */
export function nowMs(): number {
  const wall = Date.now();
  const fine = performance.timeOrigin + performance.now();
  return Math.floor(fine) === wall ? fine : wall;
}

/** docker's units.HumanDuration: `3 seconds`, `About an hour`, `2 weeks`. */
export function humanDuration(ms: number): string {
  const seconds = Math.floor(ms / second);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.floor(ms / minute);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.round(ms / hour);
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.floor(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.floor(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.floor(hours / 24 / 30)} months`;
  return `${Math.floor(ms / day / 365)} years`;
}
