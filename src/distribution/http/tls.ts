import tls from 'node:tls';

/** How a host's certificate is checked, and which one it is shown. PEM texts. */
export interface TlsSettings {
  /** false: any certificate will do (a listed insecure registry, hosts.toml's skip_verify). */
  readonly verify: boolean;
  /** Authorities that are trusted beside the machine's. */
  readonly authorities?: readonly string[];
  readonly client?: { readonly certificate: string; readonly key: string };
}

let machineAuthorities: readonly string[] | undefined;

/** The machine's authorities and the host's own: what is given replaces the runtime's list, which does not know those of the machine. */
export function trustedAuthorities({ authorities = [] }: TlsSettings): string[] {
  machineAuthorities ??= readMachineAuthorities();
  return [...machineAuthorities, ...authorities];
}

/** For where a host redirects to: a client certificate and the leave to skip verification are for the host alone. */
export function tlsElsewhere({ authorities }: TlsSettings): TlsSettings {
  return { verify: true, ...(authorities === undefined ? {} : { authorities }) };
}

function readMachineAuthorities(): readonly string[] {
  const system = tls.getCACertificates('system');
  return system.length > 0 ? system : tls.rootCertificates;
}
