import type { CreateOptions } from '../src/runtime/index.ts';

const capabilities = (1n << 41n) - 1n;
const { uid, gid } = { uid: 1000, gid: 1000 };

/** What a configuration is compiled for: root, and an ordinary user with the setuid helpers. */
export const compileOptions: readonly CreateOptions[] = [undefined, { uid, gid, newuidmap: '/usr/bin/newuidmap', newgidmap: '/usr/bin/newgidmap' }].map(
  (ordinaryUser): CreateOptions => ({
    id: 'c1',
    bundle: '/bundle',
    rootfs: { type: 'directory', path: 'rootfs' },
    stdio: { kind: 'inherit', consoleSocket: '/run/console.sock' },
    start: { kind: 'fifo', path: '/run/strake-runc/c1/exec.fifo' },
    detach: true,
    machine: {
      boundingSet: capabilities,
      allCapabilities: capabilities,
      arch: 'x86_64',
      apparmor: true,
      selinux: false,
      kcore: true,
      inUserNamespace: ordinaryUser !== undefined,
      ordinaryUser,
    },
    cgroup: { v1: [], v1Links: [], v2: '/sys/fs/cgroup/strake/c1', create: [], initAttach: [], cleanup: [], oomFile: '' },
  }),
);
