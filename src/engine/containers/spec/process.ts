import type { ContainerConfig, HostConfig, Ulimit } from '../../../api/docker/index.ts';
import { StrakeError } from '../../../base/index.ts';
import type { Rlimit } from '../../../oci/index.ts';

const defaultPath = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** getrlimit(2) names by docker's. */
const limits = new Set('as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(' '));

/** Docker's order: PATH, HOSTNAME, TERM, then the configuration's own, which replace; a name without `=` removes. */
export function processEnvironment(options: { readonly env: readonly string[]; readonly hostname: string; readonly tty: boolean }): readonly string[] {
  const defaults = [defaultPath, ...(options.hostname === '' ? [] : [`HOSTNAME=${options.hostname}`]), ...(options.tty ? ['TERM=xterm'] : [])];
  return replaceOrAppend(defaults, options.env);
}

export function replaceOrAppend(defaults: readonly string[], overrides: readonly string[]): readonly string[] {
  const nameOf = (entry: string) => entry.split('=', 1)[0] ?? '';
  const result = new Map<string, string | undefined>(defaults.map((entry) => [nameOf(entry), entry]));
  for (const entry of overrides) result.set(nameOf(entry), entry.includes('=') ? entry : undefined);
  return [...result.values()].filter((entry) => entry !== undefined);
}

/** Entrypoint and command as one argv; `['']` as entrypoint clears it (moby getEntrypointAndArgs). */
export function commandLine({ Entrypoint, Cmd }: Pick<ContainerConfig, 'Entrypoint' | 'Cmd'>): readonly string[] {
  const entrypoint = Entrypoint === null || (Entrypoint.length === 1 && Entrypoint[0] === '') ? [] : Entrypoint;
  return [...entrypoint, ...(Cmd ?? [])];
}

export function rlimits(ulimits: HostConfig['Ulimits']): readonly Rlimit[] {
  return ulimits.map((limit) => {
    checkUlimit(limit);
    return { type: `RLIMIT_${limit.Name.toUpperCase()}`, soft: BigInt.asUintN(64, BigInt(limit.Soft)), hard: BigInt.asUintN(64, BigInt(limit.Hard)) };
  });
}

export function checkUlimit({ Name, Soft, Hard }: Ulimit): void {
  if (!limits.has(Name)) throw new StrakeError('InvalidArgument', `invalid ulimit type: ${Name}`);
  if (Hard !== -1 && (Soft === -1 || Soft > Hard))
    throw new StrakeError('InvalidArgument', `ulimit soft limit must be less than or equal to hard limit: ${Soft} > ${Hard}`);
}
