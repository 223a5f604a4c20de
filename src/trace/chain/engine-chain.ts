import type { EngineClient } from '../../docker-client/index.ts';
import { linksAbove, processLink } from './ancestors.ts';
import type { ChainLink } from './link.ts';
import { withPids } from './with-pids.ts';

interface Inspect {
  readonly State: { readonly Pid: number };
  readonly HostConfig: { readonly Runtime?: string };
}

interface Info {
  readonly Runtimes?: Readonly<Record<string, { readonly path?: string; readonly runtimeType?: string }>>;
  /** dockerd's, since 27. */
  readonly Containerd?: { readonly Address?: string } | null;
}

interface Version {
  readonly Components?: readonly { readonly Name: string; readonly Version: string }[];
}

/** From the Engine API, ours or docker's, down to the container's process. `address`: where the engine listens. */
export async function engineChain(client: EngineClient, address: string, container: string): Promise<readonly ChainLink[]> {
  const [inspect, info, version] = await Promise.all([
    client.get<Inspect>(`/containers/${encodeURIComponent(container)}/json`),
    client.get<Info>('/info'),
    client.get<Version>('/version'),
  ]);
  const versionOf = (name: string) => version.Components?.find((component) => component.Name === name)?.Version;
  const { Pid: pid } = inspect.State;
  const containerd = info.Containerd?.Address;
  const runtime = inspect.HostConfig.Runtime ?? '';
  const heads: readonly ChainLink[] = [
    { seam: 'engine', implementation: `Engine ${versionOf('Engine') ?? ''}`.trim(), pid: undefined, sockets: [address] },
    {
      seam: 'containerd',
      implementation: containerd === undefined ? 'in process' : `containerd ${versionOf('containerd') ?? ''}`.trim(),
      pid: undefined,
      sockets: containerd === undefined ? [] : [containerd],
    },
    { seam: 'runtime', implementation: runtimeName(runtime, info), pid: undefined, sockets: [] },
  ];
  return pid > 0 ? withPids(heads, [...linksAbove(pid), processLink(pid)]) : heads;
}

function runtimeName(name: string, { Runtimes = {} }: Info): string {
  const known = Object.hasOwn(Runtimes, name) ? Runtimes[name] : undefined;
  const program = known?.path ?? known?.runtimeType;
  return program === undefined || program === name ? name : `${name} (${program})`;
}
