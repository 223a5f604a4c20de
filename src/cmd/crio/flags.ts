import type { FlagTable } from '../../cli/flags/flags.ts';
import { formatFlags } from '../../cli/flags/help.ts';
import { parseFlags } from '../../cli/flags/parse.ts';
import { UsageError } from '../../cli/usage-error.ts';
import type { CriSettings } from '../cri/flags.ts';
import { absolutePath, logFlags, logSettings } from '../flag-values.ts';
import { readCrioConfig } from './config.ts';

const defaultConfig = '/etc/crio/crio.conf';
const defaultDropIns = '/etc/crio/crio.conf.d';

const table = {
  config: { kind: 'string', short: 'c', value: 'FILE', help: `Configuration of CRI-O (default "${defaultConfig}")` },
  'config-dir': { kind: 'string', short: 'd', value: 'DIR', help: `Files whose keys stand over it (default "${defaultDropIns}")` },
  root: { kind: 'string', value: 'DIR', help: 'Directory of persistent state (default "/var/lib/strake")' },
  state: { kind: 'string', value: 'DIR', help: 'Directory of execution state (default "/run/strake")' },
  'registry-config': { kind: 'list', value: 'DIR', help: 'Directory with a folder for each registry (hosts.toml)' },
  ...logFlags,
} as const satisfies FlagTable;

/** What crio.conf and the flags say: the second where both do. */
export function parseCrioFlags(argv: readonly string[]): CriSettings {
  const { values, args, help } = parseFlags(table, argv, { stopAtArgument: false });
  if (args.length > 0) throw new UsageError(`unexpected argument ${JSON.stringify(args[0])}`);
  const common = {
    root: absolutePath('root', values.root ?? '/var/lib/strake'),
    state: absolutePath('state', values.state ?? '/run/strake'),
    containerd: undefined,
    containerdAddress: undefined,
    registryConfig: values['registry-config'].length === 0 ? undefined : values['registry-config'],
    podNetwork: 'cni',
    podSubnet: undefined,
    help,
  } as const;
  // Help is to be had without a configuration, and without the runtimes that it names.
  const config = help ? undefined : readCrioConfig(values.config ?? defaultConfig, values['config-dir'] ?? defaultDropIns, values.config !== undefined);
  return {
    ...common,
    ...logSettings({ ...values, 'log-level': values['log-level'] ?? config?.logLevel }),
    address: config?.listen ?? '',
    streams: { address: config?.streamAddress ?? '', port: config?.streamPort ?? 0 },
    cgroupDriver: config?.cgroupManager ?? 'cgroupfs',
    runtimes: config?.runtimes ?? {},
    defaultRuntime: config?.defaultRuntime,
    alwaysPause: config?.dropInfraContainer === false,
    pinned: config?.pinnedImages ?? [],
    insecureRegistries: config?.insecureRegistries ?? [],
    cniConfigDirectory: config?.networkDirectory ?? '',
    cniPluginDirectories: config?.pluginDirectories ?? [],
    ignored: config?.ignored ?? [],
  };
}

export function crioUsage(): string {
  return `Usage:  strake crio [OPTIONS]\n\nServe the container runtime interface of Kubernetes over an OCI runtime, as CRI-O is configured\n\nOptions:\n${formatFlags(table)}`;
}
