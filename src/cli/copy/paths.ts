import path from 'node:path';

export interface CopyArgument {
  /** Undefined for a local path. */
  readonly container: string | undefined;
  readonly path: string;
}

/** `CONTAINER:PATH`, or a local path: one with a colon in it begins with `/` or `.` (docker's rule, and scp's). */
export function splitCopyArgument(argument: string): CopyArgument {
  const colon = argument.indexOf(':');
  if (colon < 0 || argument.startsWith('/') || argument.startsWith('.')) return { container: undefined, path: argument };
  return { container: argument.slice(0, colon), path: argument.slice(colon + 1) };
}

/** Absolute, with the end that it had: `x/` is a directory, `x/.` what is in it. */
export function absolute(given: string): string {
  return keepEnd(path.resolve(given), given);
}

/** `cleaned` with the end of `given`, which cleaning takes away. */
export function keepEnd(cleaned: string, given: string): string {
  if (namesContent(given)) return cleaned.endsWith('/') ? `${cleaned}.` : `${cleaned}/.`;
  return given.endsWith('/') && !cleaned.endsWith('/') ? `${cleaned}/` : cleaned;
}

/** `.` and `x/.`: not the directory, but what is in it. */
export function namesContent(given: string): boolean {
  return /(?:^|\/)\.$/.test(given);
}

/** Says by its end that it is a directory. */
export function namesDirectory(given: string): boolean {
  return given.endsWith('/') || namesContent(given);
}

/** The last name: `.` of `x/.`, `x` of `x/`, `/` of `/`. */
export function lastName(given: string): string {
  return namesContent(given) ? '.' : path.posix.basename(given) || '/';
}
