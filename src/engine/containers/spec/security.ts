import { StrakeError } from '../../../base/index.ts';

/** What `--security-opt` says, in parts. */
export interface SecurityOptions {
  readonly noNewPrivileges: boolean;
  readonly seccomp: { readonly kind: 'default' } | { readonly kind: 'unconfined' } | { readonly kind: 'profile'; readonly json: string };
  readonly systemPaths: 'confined' | 'unconfined';
  /** As given; empty: none. */
  readonly apparmor: string;
  readonly labels: readonly string[];
}

/** Texts are moby's (daemon/container_operations_unix.go, parseSecurityOpt). */
export function parseSecurityOptions(options: readonly string[]): SecurityOptions {
  let parsed: SecurityOptions = { noNewPrivileges: false, seccomp: { kind: 'default' }, systemPaths: 'confined', apparmor: '', labels: [] };
  for (const option of options) parsed = { ...parsed, ...parseOption(option, parsed) };
  return parsed;
}

function parseOption(option: string, before: SecurityOptions): Partial<SecurityOptions> {
  if (option === 'no-new-privileges') return { noNewPrivileges: true };
  if (option === 'disable') return { labels: [...before.labels, 'disable'] };
  if (option === 'systempaths=unconfined') return { systemPaths: 'unconfined' };
  const [, key, value = ''] = /^([^=:]+)[=:](.*)$/s.exec(option) ?? [];
  switch (key) {
    case 'label':
      return { labels: [...before.labels, value] };
    case 'apparmor':
      return { apparmor: value };
    case 'seccomp':
      return { seccomp: parseSeccomp(value) };
    case 'no-new-privileges':
      return { noNewPrivileges: parseBoolean(value, option) };
    case undefined:
      throw new StrakeError('InvalidArgument', `invalid --security-opt 1: ${JSON.stringify(option)}`);
    default:
      throw new StrakeError('InvalidArgument', `invalid --security-opt 2: ${JSON.stringify(option)}`);
  }
}

function parseSeccomp(value: string): SecurityOptions['seccomp'] {
  if (value === 'unconfined') return { kind: 'unconfined' };
  if (value === '' || value === 'builtin') return { kind: 'default' };
  return { kind: 'profile', json: value };
}

/** Go's strconv.ParseBool. */
function parseBoolean(value: string, option: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(value)) return false;
  throw new StrakeError('InvalidArgument', `invalid --security-opt 2: ${JSON.stringify(option)}`);
}
