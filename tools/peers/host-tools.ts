import { existsSync } from 'node:fs';
import { runLogged } from './shell.ts';

/** What the tests need on the machine itself, by Debian package: a file that shows that it is there. Everything else is in the peer root. */
const programs: Readonly<Record<string, string>> = {
  acl: '/usr/bin/setfacl',
  attr: '/usr/bin/getfattr',
  'busybox-static': '/bin/busybox',
  debootstrap: '/usr/sbin/debootstrap',
  iproute2: '/usr/sbin/ip',
  'libarchive-tools': '/usr/bin/bsdtar',
  'libseccomp-dev': '/usr/include/seccomp.h',
  nftables: '/usr/sbin/nft',
  strace: '/usr/bin/strace',
  uidmap: '/usr/bin/newuidmap',
};

/** What `npm run test:v2` needs besides. */
export const emulatorTools: Readonly<Record<string, string>> = { 'qemu-system-x86': '/usr/bin/qemu-system-x86_64' };

/** Installs what is missing with apt, and says so. */
export function ensureHostTools(more: Readonly<Record<string, string>> = {}): void {
  const needed = { ...programs, ...more };
  const missing = Object.keys(needed).filter((name) => !existsSync(needed[name] ?? ''));
  if (missing.length === 0) return;
  console.error(`the tests need ${missing.join(', ')}: installing with apt-get`);
  const log = '/tmp/strake-host-tools.log';
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  runLogged(log, ['apt-get', '-q', '-y', 'update'], env);
  runLogged(log, ['apt-get', '-q', '-y', '-o', 'Dpkg::Use-Pty=0', 'install', '--no-install-recommends', ...missing], env);
}
