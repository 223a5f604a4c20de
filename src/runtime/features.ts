import { seccompActions, seccompArchitectures, seccompFlags, seccompOperators } from '../kernel/index.ts';
import type { Features } from '../oci/index.ts';
import { capabilityNames } from './compile/linux-numbers.ts';
import { memoryPolicyFlags, memoryPolicyModes } from './compile/memory-policy.ts';
import { knownMountOptions } from './compile/mount-options.ts';
import { ociVersion } from './default-spec.ts';

/** What `strake-runc features` prints (runtime-spec features.md). */
export function features(): Features {
  return {
    ociVersionMin: '1.0.0',
    ociVersionMax: ociVersion,
    hooks: ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'],
    mountOptions: knownMountOptions,
    linux: {
      namespaces: ['cgroup', 'ipc', 'mount', 'network', 'pid', 'time', 'user', 'uts'],
      capabilities: capabilityNames,
      cgroup: { v1: true, v2: true, systemd: false, systemdUser: false, rdma: false },
      seccomp: {
        enabled: true,
        actions: seccompActions,
        operators: seccompOperators,
        archs: seccompArchitectures,
        knownFlags: seccompFlags,
        supportedFlags: seccompFlags,
      },
      apparmor: { enabled: true },
      selinux: { enabled: true },
      intelRdt: { enabled: true, schemata: true, monitoring: true },
      mountExtensions: { idmap: { enabled: true } },
      netDevices: { enabled: true },
      memoryPolicy: { modes: memoryPolicyModes, flags: memoryPolicyFlags },
    },
    potentiallyUnsafeConfigAnnotations: [],
  };
}
