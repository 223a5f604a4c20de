import { accessSync, constants, existsSync, readFileSync, readlinkSync } from 'node:fs';
import { StrakeError } from '../base/index.ts';
import type { Machine, OrdinaryUser } from './compile/options.ts';

/** Reads what compiling needs to know of this machine. */
export function readMachine(): Machine {
  const status = readFileSync('/proc/self/status', 'latin1');
  const bounding = /^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  if (bounding === undefined) throw new StrakeError('Internal', '/proc/self/status has no CapBnd', { fields: { layer: 'runtime' } });
  return {
    boundingSet: BigInt(`0x${bounding}`),
    arch: machineArch(process.arch),
    apparmor: isApparmorEnabled(),
    selinux: existsSync('/sys/fs/selinux/enforce'),
    kcore: existsSync('/proc/kcore'),
    allCapabilities: (2n << BigInt(readFileSync('/proc/sys/kernel/cap_last_cap', 'latin1').trim())) - 1n,
    inUserNamespace: runsInUserNamespace(),
    ordinaryUser: process.geteuid?.() === 0 ? undefined : ordinaryUser(process.geteuid?.() ?? 0, process.getegid?.() ?? 0),
  };
}

/** The first one has this inode on every kernel (PROC_USER_INIT_INO, include/linux/proc_ns.h). */
const firstUserNamespace = 'user:[4026531837]';

export function runsInUserNamespace(): boolean {
  try {
    return readlinkSync('/proc/self/ns/user') !== firstUserNamespace;
  } catch {
    return false; // CONFIG_USER_NS is off
  }
}

function ordinaryUser(uid: number, gid: number): OrdinaryUser {
  return { uid, gid, newuidmap: findProgram('newuidmap'), newgidmap: findProgram('newgidmap') };
}

function findProgram(name: string): string | undefined {
  for (const directory of (process.env['PATH'] ?? '').split(':')) {
    if (!directory.startsWith('/')) continue;
    try {
      accessSync(`${directory}/${name}`, constants.X_OK);
      return `${directory}/${name}`;
    } catch {
      // Not in this directory.
    }
  }
  return undefined;
}

function machineArch(arch: string): Machine['arch'] {
  if (arch === 'x64') return 'x86_64';
  if (arch === 'arm64') return 'aarch64';
  throw new StrakeError('Unimplemented', `the architecture ${arch} is not supported`, { fields: { layer: 'runtime' } });
}

function isApparmorEnabled(): boolean {
  try {
    return readFileSync('/sys/module/apparmor/parameters/enabled', 'latin1').startsWith('Y');
  } catch {
    return false;
  }
}
