import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { FlagValues, ParsedFlags } from '../flags/flags.ts';
import { parseBytes } from '../format/units.ts';
import { UsageError } from '../usage-error.ts';
import type { ContainerFlags } from './flags.ts';
import { parseMount } from './mount.ts';
import { exposedPorts, portBindings } from './ports.ts';

type Values = FlagValues<ContainerFlags>;
type Env = Readonly<Record<string, string | undefined>>;

/** The body of POST /containers/create (Engine API 1.51) that the flags ask for. Throws UsageError. */
export function containerBody(parsed: ParsedFlags<ContainerFlags>, env: Env): Readonly<Record<string, unknown>> {
  const { values, given } = parsed;
  const [image = '', ...command] = parsed.args;
  const attached = attachedStreams(values);
  const exposed = exposedPorts(values.expose, values.publish);
  return {
    Image: image,
    ...(command.length > 0 ? { Cmd: command } : {}),
    ...(values.entrypoint === undefined ? {} : { Entrypoint: values.entrypoint === '' ? [''] : [values.entrypoint] }),
    Hostname: values.hostname ?? '',
    Domainname: values.domainname ?? '',
    User: values.user ?? '',
    WorkingDir: values.workdir ?? '',
    Env: environment(values, env),
    Labels: pairsOf([...values['label-file'].flatMap(linesOf), ...values.label]),
    Tty: values.tty,
    OpenStdin: values.interactive,
    StdinOnce: values.interactive && attached.stdin,
    AttachStdin: attached.stdin,
    AttachStdout: attached.stdout,
    AttachStderr: attached.stderr,
    ...(values['stop-signal'] === undefined ? {} : { StopSignal: values['stop-signal'] }),
    ...(values['stop-timeout'] === undefined ? {} : { StopTimeout: values['stop-timeout'] }),
    ...(values['no-healthcheck'] ? { Healthcheck: { Test: ['NONE'] } } : {}),
    ...(exposed === undefined ? {} : { ExposedPorts: exposed }),
    ...anonymousVolumes(values.volume),
    HostConfig: hostConfig(values, given),
    NetworkingConfig: networkingConfig(values),
  };
}

/** Which streams the command itself is attached to. */
export function attachedStreams(values: Pick<Values, 'attach' | 'interactive'> & { readonly detach?: boolean }): {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
} {
  const names = values.attach.map((name) => name.toLowerCase());
  for (const name of names)
    if (!['stdin', 'stdout', 'stderr'].includes(name))
      throw new UsageError(`invalid argument "${name}" for "-a, --attach" flag: valid streams are STDIN, STDOUT and STDERR`);
  if (values.detach) return { stdin: false, stdout: false, stderr: false };
  if (names.length > 0) return { stdin: names.includes('stdin'), stdout: names.includes('stdout'), stderr: names.includes('stderr') };
  return { stdin: values.interactive, stdout: true, stderr: true };
}

function hostConfig(values: Values, given: ReadonlySet<string>): Readonly<Record<string, unknown>> {
  return {
    Binds: values.volume.filter((volume) => volume.includes(':')).map(absoluteSource),
    Mounts: values.mount.map(parseMount),
    VolumesFrom: values['volumes-from'],
    NetworkMode: values.network ?? values.net ?? 'default',
    AutoRemove: values.rm,
    Privileged: values.privileged,
    ReadonlyRootfs: values['read-only'],
    CapAdd: values['cap-add'],
    CapDrop: values['cap-drop'],
    SecurityOpt: values['security-opt'].map(securityOption),
    Tmpfs: Object.fromEntries(values.tmpfs.map((entry) => splitOnce(entry, ':'))),
    Ulimits: values.ulimit.map(ulimit),
    Sysctls: pairsOf(values.sysctl),
    Annotations: pairsOf(values.annotation),
    ExtraHosts: values['add-host'].map((entry) => entry.replace('=', ':')),
    Dns: values.dns,
    DnsOptions: values['dns-option'],
    DnsSearch: values['dns-search'],
    GroupAdd: values['group-add'],
    PidMode: values.pid ?? '',
    IpcMode: values.ipc ?? '',
    UTSMode: values.uts ?? '',
    UsernsMode: values.userns ?? '',
    CgroupnsMode: values.cgroupns ?? '',
    CgroupParent: values['cgroup-parent'] ?? '',
    Runtime: values.runtime ?? '',
    RestartPolicy: restartPolicy(values.restart),
    LogConfig: { Type: values['log-driver'] ?? '', Config: pairsOf(values['log-opt']) },
    Devices: values.device.map(device),
    DeviceCgroupRules: values['device-cgroup-rule'],
    PortBindings: portBindings(values.publish),
    PublishAllPorts: values['publish-all'],
    ...resourceLimits(values),
    ...(values['shm-size'] === undefined ? {} : { ShmSize: bytes('--shm-size', values['shm-size']) }),
    ...(values['oom-score-adj'] === undefined ? {} : { OomScoreAdj: values['oom-score-adj'] }),
    ...(values['oom-kill-disable'] ? { OomKillDisable: true } : {}),
    ...(given.has('init') ? { Init: values.init } : {}),
  };
}

type LimitValues = Pick<
  Values,
  | 'memory'
  | 'memory-reservation'
  | 'memory-swap'
  | 'cpus'
  | 'cpu-shares'
  | 'cpu-period'
  | 'cpu-quota'
  | 'cpuset-cpus'
  | 'cpuset-mems'
  | 'pids-limit'
  | 'blkio-weight'
>;

/** The limits that `update` can change too. */
export function resourceLimits(values: LimitValues): Readonly<Record<string, unknown>> {
  const limits: Readonly<Record<string, unknown>> = {
    Memory: values.memory && bytes('-m, --memory', values.memory),
    MemoryReservation: values['memory-reservation'] && bytes('--memory-reservation', values['memory-reservation']),
    MemorySwap: values['memory-swap'] === '-1' ? -1 : values['memory-swap'] && bytes('--memory-swap', values['memory-swap']),
    NanoCpus: values.cpus && nanoCpus(values.cpus),
    CpuShares: values['cpu-shares'],
    CpuPeriod: values['cpu-period'],
    CpuQuota: values['cpu-quota'],
    CpusetCpus: values['cpuset-cpus'],
    CpusetMems: values['cpuset-mems'],
    PidsLimit: values['pids-limit'],
    BlkioWeight: values['blkio-weight'],
  };
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
}

function nanoCpus(text: string): number {
  if (!/^\d*\.?\d{1,9}$/.test(text)) throw new UsageError(`invalid argument "${text}" for "--cpus" flag: failed to parse ${text} as a rational number`);
  return Math.round(Number(text) * 1e9);
}

function bytes(flag: string, text: string): number {
  const value = parseBytes(text);
  if (value === undefined) throw new UsageError(`invalid argument "${text}" for "${flag}" flag: invalid size: '${text}'`);
  return value;
}

export function restartPolicy(text: string | undefined): { readonly Name: string; readonly MaximumRetryCount: number } {
  const [name = '', count] = (text ?? 'no').split(':');
  if (count !== undefined && !/^\d+$/.test(count)) throw new UsageError('invalid restart policy format: maximum retry count must be an integer');
  return { Name: name, MaximumRetryCount: Number(count ?? 0) };
}

function environment(values: Values, env: Env): string[] {
  const resolve = (entry: string) => (entry.includes('=') ? [entry] : env[entry] === undefined ? [] : [`${entry}=${env[entry]}`]);
  return [...values['env-file'].flatMap(linesOf), ...values.env].flatMap(resolve);
}

/** The meaningful lines of an environment or label file. */
function linesOf(file: string): string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.trimStart().replace(/\r$/, ''))
    .filter((line) => line !== '' && !line.startsWith('#'));
}

function pairsOf(entries: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(entries.map((entry) => splitOnce(entry, '=')));
}

function splitOnce(text: string, separator: string): readonly [string, string] {
  const index = text.indexOf(separator);
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)];
}

/** `-v ./data:/data`: the engine wants an absolute source; a name stays a volume. */
function absoluteSource(volume: string): string {
  const [source, rest] = splitOnce(volume, ':');
  return source.startsWith('.') || source.startsWith('~') ? `${path.resolve(source.replace(/^~/, process.env['HOME'] ?? '~'))}:${rest}` : volume;
}

function anonymousVolumes(volumes: readonly string[]): Readonly<Record<string, unknown>> {
  const paths = volumes.filter((volume) => !volume.includes(':'));
  return paths.length > 0 ? { Volumes: Object.fromEntries(paths.map((target) => [target, {}])) } : {};
}

/** `seccomp=FILE`: the engine gets the profile itself. */
function securityOption(option: string): string {
  const [name, value] = splitOnce(option, '=');
  if (name !== 'seccomp' || value === 'unconfined' || value === 'builtin' || !existsSync(value)) return option;
  return `seccomp=${readFileSync(value, 'utf8')}`;
}

function ulimit(text: string): { readonly Name: string; readonly Soft: number; readonly Hard: number } {
  const match = /^(\w+)=(-?\d+)(?::(-?\d+))?$/.exec(text);
  if (!match) throw new UsageError(`invalid argument "${text}" for "--ulimit" flag: invalid ulimit argument: ${text}`);
  const soft = Number(match[2]);
  return { Name: match[1] ?? '', Soft: soft, Hard: match[3] === undefined ? soft : Number(match[3]) };
}

function device(text: string): { readonly PathOnHost: string; readonly PathInContainer: string; readonly CgroupPermissions: string } {
  const [host = '', second, third] = text.split(':');
  const permissionsOnly = third === undefined && second !== undefined && /^[rwm]+$/.test(second);
  return {
    PathOnHost: host,
    PathInContainer: permissionsOnly || second === undefined ? host : second,
    CgroupPermissions: (permissionsOnly ? second : third) ?? 'rwm',
  };
}

function networkingConfig(values: Values): Readonly<Record<string, unknown>> {
  const network = values.network ?? values.net;
  if (values['network-alias'].length === 0 || network === undefined) return {};
  return { EndpointsConfig: { [network]: { Aliases: values['network-alias'] } } };
}
