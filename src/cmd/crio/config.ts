import { existsSync } from 'node:fs';
import path from 'node:path';
import type { TomlTable } from 'smol-toml';
import { namesIn } from '../../base/index.ts';
import { ConfigTable, invalidConfig, isTable, mergeTables, readTomlFile, saying } from '../toml-config.ts';

/** What crio.conf(5) says that means something here, with CRI-O's defaults. */
export interface CrioConfig {
  /** unix socket */
  readonly listen: string;
  readonly streamAddress: string;
  readonly streamPort: number;
  readonly cgroupManager: 'cgroupfs' | 'systemd';
  readonly logLevel: string | undefined;
  /** name of the one that pods without a runtime class get */
  readonly defaultRuntime: string;
  readonly runtimes: Readonly<Record<string, CrioRuntime>>;
  /** whether pods get a process of their own only where it is needed */
  readonly dropInfraContainer: boolean;
  readonly pinnedImages: readonly string[];
  readonly insecureRegistries: readonly string[];
  readonly networkDirectory: string;
  readonly pluginDirectories: readonly string[];
  /** Keys that say something and mean nothing here, with their tables: `crio.runtime.pids_limit`. */
  readonly ignored: readonly string[];
}

/** With absolute paths: the command of an OCI runtime, or (`vm`) a shim of containerd's interface. */
export type CrioRuntime = { readonly path: string; readonly root: string | undefined } | { readonly shim: string };

/** Where a runtime is looked for that has no path. */
const programDirectories = ['/usr/libexec/crio', '/usr/local/bin', '/usr/bin', '/usr/local/sbin', '/usr/sbin', '/bin', '/sbin'];

/** The file, and over it those of the directory in the order of their names. `required`: a file that is not there is an error. */
export function readCrioConfig(file: string, dropIns: string, required: boolean): CrioConfig {
  const over = namesIn(dropIns).filter((name) => !name.startsWith('.'));
  const table = over.reduce((merged, name) => mergeTables(merged, readTomlFile(path.join(dropIns, name), true)), readTomlFile(file, required));
  return interpret(table, file);
}

function interpret(table: TomlTable, file: string): CrioConfig {
  const config = new ConfigTable(table, file);
  const found = runtimesOf(config, file);
  const defaultRuntime = config.text('crio', 'runtime', 'default_runtime') ?? 'crun';
  const runtimes = Object.hasOwn(found, defaultRuntime) ? found : { ...found, [defaultRuntime]: runtimeOf(defaultRuntime, {}, file) };
  const port = config.text('crio', 'api', 'stream_port') ?? '0';
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw invalidConfig(file, 'crio.api.stream_port is not a port');
  const plugins = config.texts('crio', 'network', 'plugin_dirs') ?? ['/opt/cni/bin'];
  const oldPlugins = config.text('crio', 'network', 'plugin_dir');
  return {
    listen: absolute(config.text('crio', 'api', 'listen') ?? '/var/run/crio/crio.sock', 'crio.api.listen', file),
    streamAddress: config.text('crio', 'api', 'stream_address') ?? '127.0.0.1',
    streamPort: Number(port),
    cgroupManager: config.oneOf(['cgroupfs', 'systemd'] as const, 'crio', 'runtime', 'cgroup_manager') ?? 'systemd',
    logLevel: config.text('crio', 'runtime', 'log_level'),
    defaultRuntime,
    runtimes,
    dropInfraContainer: config.flag('crio', 'runtime', 'drop_infra_ctr') ?? true,
    pinnedImages: config.texts('crio', 'image', 'pinned_images') ?? [],
    insecureRegistries: config.texts('crio', 'image', 'insecure_registries') ?? [],
    networkDirectory: absolute(config.text('crio', 'network', 'network_dir') ?? '/etc/cni/net.d', 'crio.network.network_dir', file),
    pluginDirectories: [...plugins, ...(oldPlugins === undefined ? [] : [oldPlugins])].map((directory) =>
      absolute(directory, 'crio.network.plugin_dirs', file),
    ),
    ignored: saying(config.left),
  };
}

function runtimesOf(config: ConfigTable, file: string): Readonly<Record<string, CrioRuntime>> {
  const table = config.table('crio', 'runtime', 'runtimes') ?? {};
  return Object.fromEntries(
    Object.entries(table).map(([name, runtime]) => {
      if (!isTable(runtime)) throw invalidConfig(file, `crio.runtime.runtimes.${name} is not a table`);
      return [name, runtimeOf(name, runtime, file)];
    }),
  );
}

function runtimeOf(name: string, table: TomlTable, file: string): CrioRuntime {
  const where = `crio.runtime.runtimes.${name}`;
  const config = new ConfigTable(table, file);
  const type = config.text('runtime_type') ?? 'oci';
  if (type !== 'oci' && type !== 'vm') throw invalidConfig(file, `${where}.runtime_type ${type} is not possible: oci and vm are`);
  const program = config.text('runtime_path') ?? programDirectories.map((directory) => path.join(directory, name)).find((candidate) => existsSync(candidate));
  if (program === undefined) throw invalidConfig(file, `${where} has no runtime_path, and no ${name} is in ${programDirectories.join(', ')}`);
  const runtime = absolute(program, `${where}.runtime_path`, file);
  // A shim knows itself where its state is.
  if (type === 'vm') return { shim: runtime };
  const root = config.text('runtime_root');
  return { path: runtime, root: root === undefined ? undefined : absolute(root, `${where}.runtime_root`, file) };
}

function absolute(text: string, key: string, file: string): string {
  const plain = text.replace(/^unix:\/\//, '');
  if (!plain.startsWith('/')) throw invalidConfig(file, `${key} is not an absolute path`);
  return plain;
}
