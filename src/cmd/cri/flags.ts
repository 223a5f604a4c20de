import path from 'node:path';
import type { FlagTable } from '../../cli/flags/flags.ts';
import { formatFlags } from '../../cli/flags/help.ts';
import { parseFlags } from '../../cli/flags/parse.ts';
import { UsageError } from '../../cli/usage-error.ts';
import { type PodNetworkKind, podNetworkKinds } from '../../network/index.ts';
import { absolutePath, type LogSettings, logFlags, logSettings, oneOf, socketPath } from '../flag-values.ts';

export interface CriSettings extends LogSettings {
  readonly root: string;
  readonly state: string;
  /** Path of the unix socket. */
  readonly address: string;
  /** Where exec, attach and port-forward are served. */
  readonly streams: { readonly address: string; readonly port: number };
  readonly cgroupDriver: 'cgroupfs' | 'systemd';
  /** Of a containerd whose stores and tasks are used; in this process when undefined. */
  readonly containerd: string | undefined;
  /** Where containerd's API is served besides. */
  readonly containerdAddress: string | undefined;
  /** By the name of their handler. */
  readonly runtimes: Readonly<Record<string, OtherRuntime>>;
  /** The one of pods that name no runtime class; ours when undefined. */
  readonly defaultRuntime: string | undefined;
  readonly alwaysPause: boolean;
  readonly pinned: readonly string[];
  /** Directories with a folder for a registry. */
  readonly registryConfig: readonly string[] | undefined;
  readonly insecureRegistries: readonly string[];
  readonly podNetwork: PodNetworkKind;
  readonly podSubnet: string | undefined;
  readonly cniConfigDirectory: string;
  readonly cniPluginDirectories: readonly string[];
  /** Keys of a configuration that mean nothing here. */
  readonly ignored: readonly string[];
  readonly help: boolean;
}

/** An OCI runtime's command, or a shim of containerd's interface. */
export type OtherRuntime =
  | {
      /** absolute */
      readonly path: string;
      /** where it keeps its state; a directory of ours when undefined */
      readonly root?: string | undefined;
    }
  | {
      /** `io.containerd.runc.v2`, or the path of a shim */
      readonly shim: string;
    };

/** Those that are always there: ours, and over a containerd its runc. */
export const handlerNames = { own: 'strake', containerd: 'runc' } as const;
export const defaultContainerd = '/run/containerd/containerd.sock';
const defaultPluginDirectories = ['/opt/cni/bin', '/usr/lib/cni'];

const table = {
  address: { kind: 'string', short: 'a', value: 'PATH', help: 'Unix socket to listen on (default "STATE/cri.sock")' },
  root: { kind: 'string', value: 'DIR', help: 'Directory of persistent state (default "/var/lib/strake")' },
  state: { kind: 'string', value: 'DIR', help: 'Directory of execution state (default "/run/strake")' },
  'stream-address': { kind: 'string', value: 'ADDRESS', help: 'Where exec, attach and port-forward are served (default "127.0.0.1")' },
  'stream-port': { kind: 'int', help: 'Port for that (default one that is free)' },
  'cgroup-driver': { kind: 'string', help: '"cgroupfs" or "systemd", as the kubelet has it (default "cgroupfs")' },
  runtime: {
    kind: 'list',
    value: 'NAME=RUNTIME',
    help: 'For pods of the runtime class NAME: the path of an OCI runtime or of a containerd-shim-…, or a shim\'s name such as "io.containerd.runc.v2"',
  },
  'pause-process': { kind: 'bool', help: 'Every pod gets a process of its own, not only those whose containers share processes or users' },
  'pinned-image': { kind: 'list', value: 'IMAGE', help: 'Image that the kubelet is not to collect' },
  'registry-config': { kind: 'list', value: 'DIR', help: 'Directory with a folder for each registry (hosts.toml)' },
  'pod-network': { kind: 'string', help: '"cni", "bridge" (one of ours), or "auto": CNI once it is configured (default "auto")' },
  'pod-subnet': { kind: 'string', value: 'CIDR', help: 'Addresses of pods on the bridge' },
  'cni-config-dir': { kind: 'string', value: 'DIR', help: 'Configurations of CNI networks (default "/etc/cni/net.d")' },
  'cni-bin-dir': { kind: 'list', value: 'DIR', help: `Plugins of CNI networks (default "${defaultPluginDirectories.join('", "')}")` },
  ...logFlags,
} as const satisfies FlagTable;

const localTable = {
  ...table,
  'default-runtime': defaultRuntimeFlag(handlerNames.own),
  'containerd-address': { kind: 'string', value: 'PATH', help: "Unix socket to serve containerd's API on, too (default none)" },
} as const satisfies FlagTable;

const containerdTable = {
  containerd: { kind: 'string', value: 'ADDRESS', help: `Unix socket of the containerd (default "${defaultContainerd}")` },
  ...table,
  'default-runtime': defaultRuntimeFlag(handlerNames.containerd),
} as const satisfies FlagTable;

function defaultRuntimeFlag(own: string) {
  return { kind: 'string', value: 'NAME', help: `The one of pods without a runtime class (default "${own}")` } as const;
}

/** Of `strake cri`. */
export function parseCriFlags(argv: readonly string[]): CriSettings {
  const parsed = parseFlags(localTable, argv, { stopAtArgument: false });
  const settings = settingsOf(parsed, undefined);
  const address = parsed.values['containerd-address'];
  return {
    ...settings,
    defaultRuntime: defaultOf(parsed.values['default-runtime'], handlerNames.own, settings.runtimes),
    containerdAddress: address === undefined ? undefined : socketPath('containerd-address', address),
  };
}

/** Of `strake cri-containerd`. */
export function parseCriContainerdFlags(argv: readonly string[]): CriSettings {
  const parsed = parseFlags(containerdTable, argv, { stopAtArgument: false });
  const settings = settingsOf(parsed, socketPath('containerd', parsed.values.containerd ?? defaultContainerd));
  const command = Object.values(settings.runtimes).find((other) => !('shim' in other));
  if (command !== undefined) throw new UsageError('--runtime NAME=PATH of a command is not possible: runtimes are the shims of the containerd');
  return { ...settings, defaultRuntime: defaultOf(parsed.values['default-runtime'], handlerNames.containerd, settings.runtimes) };
}

function settingsOf({ values, args, help }: ReturnType<typeof parseFlags<typeof table>>, containerd: string | undefined): CriSettings {
  if (args.length > 0) throw new UsageError(`unexpected argument ${JSON.stringify(args[0])}`);
  const state = absolutePath('state', values.state ?? '/run/strake');
  return {
    root: absolutePath('root', values.root ?? '/var/lib/strake'),
    state,
    address: socketPath('address', values.address ?? `${state}/cri.sock`),
    streams: { address: values['stream-address'] ?? '127.0.0.1', port: values['stream-port'] ?? 0 },
    cgroupDriver: oneOf('cgroup-driver', values['cgroup-driver'] ?? 'cgroupfs', ['cgroupfs', 'systemd']),
    containerd,
    containerdAddress: undefined,
    runtimes: Object.fromEntries(values.runtime.map(runtime)),
    defaultRuntime: undefined,
    alwaysPause: values['pause-process'],
    pinned: values['pinned-image'],
    registryConfig: values['registry-config'].length === 0 ? undefined : values['registry-config'],
    insecureRegistries: [],
    podNetwork: oneOf('pod-network', values['pod-network'] ?? 'auto', podNetworkKinds),
    podSubnet: values['pod-subnet'],
    cniConfigDirectory: absolutePath('cni-config-dir', values['cni-config-dir'] ?? '/etc/cni/net.d'),
    cniPluginDirectories:
      values['cni-bin-dir'].length === 0 ? defaultPluginDirectories : values['cni-bin-dir'].map((directory) => absolutePath('cni-bin-dir', directory)),
    ...logSettings(values),
    ignored: [],
    help,
  };
}

export function criUsage(): string {
  return `Usage:  strake cri [OPTIONS]\n\nServe pods, containers and images by the container runtime interface of Kubernetes\n\nOptions:\n${formatFlags(localTable)}`;
}

export function criContainerdUsage(): string {
  return `Usage:  strake cri-containerd [OPTIONS]\n\nServe the container runtime interface of Kubernetes over a containerd\n\nOptions:\n${formatFlags(containerdTable)}`;
}

/** A shim's file has the name that containerd looks for. */
function runtime(text: string): readonly [string, OtherRuntime] {
  const [, name = '', value = ''] = /^([a-zA-Z0-9][\w.-]*)=(\/.*|[\w-]+(?:\.[\w-]+)+)$/.exec(text) ?? [];
  if (name === '') throw new UsageError(`invalid value ${JSON.stringify(text)} for --runtime: must be NAME=PATH, or NAME=io.containerd.SHIM.VERSION`);
  return [name, value.startsWith('/') && !path.basename(value).startsWith('containerd-shim-') ? { path: value } : { shim: value }];
}

function defaultOf(name: string | undefined, own: string, runtimes: CriSettings['runtimes']): string | undefined {
  if (name === undefined || name === own || Object.hasOwn(runtimes, name)) return name;
  throw new UsageError(`invalid value ${JSON.stringify(name)} for --default-runtime: no --runtime has this name`);
}
