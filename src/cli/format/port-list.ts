export interface ListedPort {
  readonly IP?: string;
  readonly PrivatePort: number;
  readonly PublicPort?: number;
  readonly Type: string;
}

/** Ports one after the other that are shown as one. */
interface Run {
  readonly first: number;
  last: number;
}

/** The column PORTS, as docker has it: neighbours that are the same inside and outside are one range; those that differ come last, each by itself. */
export function portList(ports: readonly ListedPort[]): string {
  const runs = new Map<string, Run>();
  const broken: string[] = [];
  const translated: string[] = [];
  for (const { IP: address = '', PrivatePort: port, PublicPort: outside, Type: type } of ports.toSorted(compare)) {
    if (address !== '' && outside !== port) {
      translated.push(`${addressAndPort(address, outside)}->${port}/${type}`);
      continue;
    }
    const kind = `${address}/${type}`;
    const run = runs.get(kind);
    if (run?.last === port - 1) run.last = port;
    else {
      if (run !== undefined) broken.push(runText(kind, run));
      runs.set(kind, { first: port, last: port });
    }
  }
  return [...broken, ...[...runs].map(([kind, run]) => runText(kind, run)), ...translated].join(', ');
}

function runText(kind: string, { first, last }: Run): string {
  const [address = '', type = ''] = kind.split('/');
  const range = first === last ? `${first}` : `${first}-${last}`;
  return `${address === '' ? '' : `${address}:${range}->`}${range}/${type}`;
}

function compare(a: ListedPort, b: ListedPort): number {
  return a.PrivatePort - b.PrivatePort || order(a.IP ?? '', b.IP ?? '') || (a.PublicPort ?? 0) - (b.PublicPort ?? 0) || order(a.Type, b.Type);
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function addressAndPort(address: string, port: number | string | undefined): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}
