import { existsSync, readFileSync } from 'node:fs';
import { StrakeError } from '../base/index.ts';
import type { Machine } from './compile/options.ts';

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
  };
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
