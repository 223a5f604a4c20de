import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { cpio } from './cpio.ts';
import { type Kernel, loadOrder } from './kernel.ts';

/** A directory of this machine that the emulated one sees, read-only. */
export interface Share {
  readonly source: string;
  /** `/` is the tree that the root is made of. */
  readonly target: string;
}

export interface MachineOptions {
  readonly kernel: Kernel;
  /** The root's share first. */
  readonly shares: readonly Share[];
  /** A file with an ext4 filesystem, which is /dev/vda there. */
  readonly disk: string;
  /** Options of the kernel command line, `strake.…` for the guest's own scripts. */
  readonly parameters: readonly string[];
  /** For the initramfs and the kernel's messages. */
  readonly work: string;
  readonly timeoutMs: number;
}

const memoryMiB = 3072;
const processors = 2;
/** What boots the machine, and what tests and containers use; nothing is loaded on demand. */
const modules = ['virtio_pci', 'virtio_blk', 'crc32c_generic', 'ext4', '9pnet_virtio', '9p', 'overlay', 'dummy', 'veth', 'bridge', 'loop', 'brd', 'tun', 'bfq'];
/** The guest's last word, among the kernel's messages. */
const exitLine = /strake: exit (\d+)\r?$/m;

/** Boots the machine, whose tests print to our own stdout, and gives their exit status; throws with the kernel's last messages when there is none. */
export async function runMachine(options: MachineOptions): Promise<number> {
  const initrd = join(options.work, 'initrd');
  const messages = join(options.work, 'kernel.log');
  writeFileSync(initrd, initramfs(options.kernel));
  const child = Bun.spawn(['qemu-system-x86_64', ...qemuArguments(options, initrd, messages)], { stdio: ['ignore', 'inherit', 'inherit'] });
  const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs);
  await child.exited;
  clearTimeout(timer);
  const text = readFileSync(messages, 'utf8');
  const status = exitLine.exec(text)?.[1];
  if (status !== undefined) return Number(status);
  const lines = text.trimEnd().split('\n').slice(-30).join('\n');
  throw new Error(`the emulated machine gave no result within ${options.timeoutMs / 1000} s; the end of its messages:\n${lines}`);
}

function qemuArguments(options: MachineOptions, initrd: string, messages: string): string[] {
  const shares = options.shares.map(({ target }, index) => `share${index}:${target}`).join(',');
  const append = ['console=ttyS0', 'panic=-1', 'cgroup_no_v1=all', 'mitigations=off', 'apparmor=0', `strake.shares=${shares}`, ...options.parameters];
  return [
    '-nodefaults',
    '-no-user-config',
    '-display=none',
    '-no-reboot',
    '-machine=q35',
    '-accel=tcg,thread=multi',
    '-cpu=max',
    `-smp=${processors}`,
    `-m=${memoryMiB}`,
    `-kernel=${options.kernel.image}`,
    `-initrd=${initrd}`,
    `-append=${append.join(' ')}`,
    `-serial=file:${messages}`,
    '-serial=stdio',
    `-drive=file=${options.disk},if=virtio,format=raw,cache=unsafe`,
    ...options.shares.flatMap(({ source }, index) => [
      `-fsdev=local,id=fs${index},path=${source},security_model=none,readonly=on,multidevs=remap`,
      `-device=virtio-9p-pci,fsdev=fs${index},mount_tag=share${index}`,
    ]),
  ].flatMap((argument) => {
    const [, name = argument, value] = /^(-[\w-]+)=(.*)$/s.exec(argument) ?? [];
    return value === undefined ? [name] : [name, value];
  });
}

function initramfs(kernel: Kernel): Buffer {
  const ordered = loadOrder(kernel, modules);
  return cpio([
    { path: 'init', data: readFileSync(join(import.meta.dirname, 'boot.sh')), mode: 0o755 },
    { path: 'bin/busybox', data: readFileSync('/bin/busybox'), mode: 0o755 },
    ...ordered.map((file, index) => ({ path: `modules/${String(index).padStart(2, '0')}-${basename(file)}`, data: readFileSync(file), mode: 0o644 })),
  ]);
}
