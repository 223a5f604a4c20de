import type { ContainerConfig, HostConfig } from '../../../api/docker/index.ts';
import { StrakeError } from '../../../base/index.ts';
import { capabilitySets, chooseCapabilities } from '../../../core/index.ts';
import type { DeviceRule, LinuxSeccomp, RuntimeSpec, UserSpec } from '../../../oci/index.ts';
import { chooseDevices } from './devices.ts';
import { type MountInput, mounts } from './mounts.ts';
import { type JoinedNamespaces, namespaces } from './namespaces.ts';
import { commandLine, processEnvironment, rlimits } from './process.ts';
import { resourceSpec } from './resources.ts';
import { parseSecurityOptions, type SecurityOptions } from './security.ts';

/** Docker's defaults of a container, made by the runtime layer: profile and paths (docs/RELIABILITY.md, "Secure by default"). */
export interface SecurityDefaults {
  readonly maskedPaths: readonly string[];
  readonly readonlyPaths: readonly string[];
  /** The default profile for a process with these capabilities. */
  seccomp(capabilities: readonly string[]): LinuxSeccomp;
  /** A profile in Docker's JSON. InvalidArgument when it is none. */
  parseSeccomp(json: string, capabilities: readonly string[]): LinuxSeccomp;
}

export interface SpecInput {
  readonly id: string;
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  readonly user: UserSpec & { readonly home: string };
  readonly mounts: Omit<MountInput, 'hostConfig'>;
  readonly joined: JoinedNamespaces;
  readonly hostname: string;
  readonly security: SecurityDefaults;
  /** Below the cgroup root. */
  readonly cgroupsPath: string;
  readonly availableCapabilities?: readonly string[];
}

/** Docker's configuration as an OCI one. */
export function containerSpec(input: SpecInput): RuntimeSpec {
  const { config, hostConfig, user, security } = input;
  const options = parseSecurityOptions(hostConfig.SecurityOpt ?? []);
  checkLabels(options);
  const capabilities = chooseCapabilities({
    privileged: hostConfig.Privileged,
    add: hostConfig.CapAdd ?? [],
    drop: hostConfig.CapDrop ?? [],
    ...(input.availableCapabilities === undefined ? {} : { available: input.availableCapabilities }),
  });
  const chosen = chooseDevices({ privileged: hostConfig.Privileged, mappings: hostConfig.Devices, cgroupRules: hostConfig.DeviceCgroupRules ?? [] });
  const seccomp = seccompProfile(hostConfig, options, security, capabilities);
  const args = commandLine(config);
  if (args.length === 0) throw new StrakeError('InvalidArgument', 'no command specified');
  const open = hostConfig.Privileged || options.systemPaths === 'unconfined';
  const { home, ...identity } = user;
  const ownUts = hostConfig.UTSMode !== 'host';
  return {
    ociVersion: '1.3.0',
    process: {
      terminal: config.Tty,
      user: identity,
      args,
      env: withHome(processEnvironment({ env: config.Env, hostname: input.hostname, tty: config.Tty }), home),
      cwd: config.WorkingDir === '' ? '/' : config.WorkingDir,
      capabilities: capabilitySets(capabilities, user.uid),
      ...(hostConfig.Ulimits.length === 0 ? {} : { rlimits: rlimits(hostConfig.Ulimits) }),
      ...(options.noNewPrivileges ? { noNewPrivileges: true } : {}),
      oomScoreAdj: hostConfig.OomScoreAdj,
      ...(config.Tty && hostConfig.ConsoleSize[0] > 0 ? { consoleSize: { height: hostConfig.ConsoleSize[0], width: hostConfig.ConsoleSize[1] } } : {}),
    },
    root: { path: 'rootfs', readonly: hostConfig.ReadonlyRootfs },
    ...(ownUts ? { hostname: input.hostname } : {}),
    ...(ownUts && config.Domainname !== '' ? { domainname: config.Domainname } : {}),
    mounts: mounts({ ...input.mounts, hostConfig }),
    ...(hostConfig.Annotations === undefined ? {} : { annotations: hostConfig.Annotations }),
    linux: {
      ...sysctls(hostConfig, input.joined),
      cgroupsPath: input.cgroupsPath,
      resources: resourceSpec(hostConfig, chosen.rules as readonly DeviceRule[]),
      namespaces: namespaces(hostConfig, input.joined),
      devices: chosen.devices,
      ...(seccomp === undefined ? {} : { seccomp }),
      ...rootPropagation(input.mounts.binds.map(({ propagation }) => propagation)),
      maskedPaths: open ? [] : (hostConfig.MaskedPaths ?? security.maskedPaths),
      readonlyPaths: open ? [] : (hostConfig.ReadonlyPaths ?? security.readonlyPaths),
    },
  };
}

function withHome(env: readonly string[], home: string): readonly string[] {
  return env.some((entry) => entry.startsWith('HOME=')) ? env : [...env, `HOME=${home}`];
}

function seccompProfile(
  hostConfig: HostConfig,
  options: SecurityOptions,
  security: SecurityDefaults,
  capabilities: readonly string[],
): LinuxSeccomp | undefined {
  if (hostConfig.Privileged || options.seccomp.kind === 'unconfined') return undefined;
  return options.seccomp.kind === 'default' ? security.seccomp(capabilities) : security.parseSeccomp(options.seccomp.json, capabilities);
}

/** A profile that would not be enforced is refused rather than forgotten; `unconfined` and `disable` ask for what is so anyway. */
function checkLabels({ apparmor, labels }: SecurityOptions): void {
  if (apparmor !== '' && apparmor !== 'unconfined')
    throw new StrakeError('InvalidArgument', `AppArmor profile ${JSON.stringify(apparmor)} cannot be applied: AppArmor is not supported`);
  for (const label of labels)
    if (label !== 'disable') throw new StrakeError('InvalidArgument', `SELinux label ${JSON.stringify(label)} cannot be applied: SELinux is not supported`);
}

const ipcSysctls = new Set('kernel.msgmax kernel.msgmnb kernel.msgmni kernel.sem kernel.shmall kernel.shmmax kernel.shmmni kernel.shm_rmid_forced'.split(' '));

/** Docker lets processes bind low ports and ping without a capability, in a network namespace of their own. */
const networkSysctls = { 'net.ipv4.ip_unprivileged_port_start': '0', 'net.ipv4.ping_group_range': '0 2147483647' };

function sysctls(hostConfig: HostConfig, joined: JoinedNamespaces): { readonly sysctl?: Readonly<Record<string, string>> } {
  const ownNetwork = hostConfig.NetworkMode !== 'host' && joined.network === undefined;
  for (const [key, value] of Object.entries(hostConfig.Sysctls ?? {}))
    checkSysctl(key, value, { ownNetwork, ownIpc: hostConfig.IpcMode !== 'host' && joined.ipc === undefined });
  const all = { ...(ownNetwork ? networkSysctls : {}), ...hostConfig.Sysctls };
  return Object.keys(all).length === 0 ? {} : { sysctl: all };
}

/** runc's rule: only what lies in a namespace of the container (libcontainer/configs/validate). No `+`, newline or path in it (CVE-2022-0811). */
function checkSysctl(key: string, value: string, own: { readonly ownNetwork: boolean; readonly ownIpc: boolean }): void {
  if (/[\n\0=+]/.test(value) || !/^[\w./-]+$/.test(key) || key.includes('..') || key.startsWith('/'))
    throw new StrakeError('InvalidArgument', `invalid sysctl ${JSON.stringify(`${key}=${value}`)}`);
  const name = key.replaceAll('/', '.');
  if (name.startsWith('net.')) {
    if (!own.ownNetwork) throw new StrakeError('InvalidArgument', `sysctl ${JSON.stringify(key)} not allowed in host network namespace`);
  } else if (ipcSysctls.has(name) || name.startsWith('fs.mqueue.')) {
    if (!own.ownIpc) throw new StrakeError('InvalidArgument', `sysctl ${JSON.stringify(key)} is not allowed in the hosts ipc namespace`);
  } else if (name !== 'kernel.domainname') throw new StrakeError('InvalidArgument', `sysctl ${JSON.stringify(key)} is not in a separate kernel namespace`);
}

/** A bind that is to propagate needs a root that lets it. */
function rootPropagation(propagations: readonly string[]): { readonly rootfsPropagation?: string } {
  if (propagations.some((name) => name.endsWith('shared'))) return { rootfsPropagation: 'shared' };
  return propagations.some((name) => name.endsWith('slave')) ? { rootfsPropagation: 'slave' } : {};
}
