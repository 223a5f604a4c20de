/** What `info` and `version` tell about the machine, read from the kernel. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import os from 'node:os';

const cgroupRoot = '/sys/fs/cgroup';

export interface CgroupFacts {
  /** The hierarchy that limits are set in: on a hybrid machine the v1 one. */
  readonly version: '1' | '2';
  readonly memory: boolean;
  readonly swap: boolean;
  readonly cpuQuota: boolean;
  readonly cpuShares: boolean;
  readonly cpuset: boolean;
  readonly pids: boolean;
  readonly oomKillDisable: boolean;
}

export function readCgroupFacts(): CgroupFacts {
  const unified = readText(`${cgroupRoot}/cgroup.controllers`);
  if (unified !== undefined) {
    const controllers = unified.trim().split(' ');
    const has = (name: string) => controllers.includes(name);
    return {
      version: '2',
      memory: has('memory'),
      swap: has('memory'),
      cpuQuota: has('cpu'),
      cpuShares: has('cpu'),
      cpuset: has('cpuset'),
      pids: has('pids'),
      oomKillDisable: false,
    };
  }
  const has = (file: string) => existsSync(`${cgroupRoot}/${file}`);
  return {
    version: '1',
    memory: has('memory/memory.limit_in_bytes'),
    swap: has('memory/memory.memsw.limit_in_bytes'),
    cpuQuota: has('cpu/cpu.cfs_quota_us'),
    cpuShares: has('cpu/cpu.shares'),
    cpuset: has('cpuset/cpuset.cpus'),
    pids: has('pids'),
    oomKillDisable: has('memory/memory.oom_control'),
  };
}

/** os-release(5). */
export function readOsRelease(): { readonly name: string; readonly version: string } {
  const fields = Object.fromEntries(
    (readText('/etc/os-release') ?? readText('/usr/lib/os-release') ?? '')
      .split('\n')
      .map((line) => /^(\w+)="?(.*?)"?$/.exec(line))
      .filter((match) => match !== null)
      .map((match) => [match[1], match[2]]),
  ) as Record<string, string | undefined>;
  return { name: fields['PRETTY_NAME'] ?? 'Linux', version: fields['VERSION_ID'] ?? '' };
}

export function ipv4Forwarding(): boolean {
  return readText('/proc/sys/net/ipv4/ip_forward')?.trim() === '1';
}

export function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

/** The names of uname(2) for Docker's `Architecture` and Go's for `Arch`. */
export function architecture(): { readonly machine: string; readonly go: string } {
  return { machine: os.machine(), go: os.arch() === 'x64' ? 'amd64' : os.arch() };
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
