// Writes src/kernel/seccomp/syscalls.gen.ts from the kernel's user-space headers of every architecture, as Debian's linux-libc-dev (≥ 6.12)
// has them: `node tools/bun.mjs tools/gen-syscalls.ts /usr/include`. Run it by hand when a newer kernel brings system calls.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const include = process.argv[2] ?? '/usr/include';
const sources = [
  ['x86_64', 'x86_64-linux-gnu/asm/unistd_64.h'],
  ['x86', 'x86_64-linux-gnu/asm/unistd_32.h'],
  ['x32', 'x86_64-linux-gnu/asm/unistd_x32.h'],
  ['aarch64', 'aarch64-linux-gnu/asm/unistd_64.h'],
  ['arm', 'arm-linux-gnueabihf/asm/unistd-eabi.h'],
] as const;
/** asm/unistd.h of arm: calls of that architecture alone, and the second name of one. */
const armPrivate = { breakpoint: 0xf0001, cacheflush: 0xf0002, usr26: 0xf0003, usr32: 0xf0004, set_tls: 0xf0005, get_tls: 0xf0006 };

/** name → number; x32 numbers without the bit that marks them. */
function readNumbers(file: string): Map<string, number> {
  const numbers = new Map<string, number>();
  const pattern = /^#define __NR_(\w+)\s+\(?(?:__X32_SYSCALL_BIT|__NR_SYSCALL_BASE)?\s*\+?\s*(\d+)\)?\s*$/gm;
  for (const [, name = '', number = ''] of readFileSync(path.join(include, file), 'utf8').matchAll(pattern)) numbers.set(name, Number(number));
  if (numbers.size < 200) throw new Error(`${file}: only ${numbers.size} system calls found`);
  return numbers;
}

const tables = sources.map(([arch, file]) => {
  const numbers = readNumbers(file);
  numbers.delete('syscalls');
  if (arch === 'arm') {
    for (const [name, number] of Object.entries(armPrivate)) numbers.set(name, number);
    const sync = numbers.get('arm_sync_file_range');
    if (sync !== undefined) numbers.set('sync_file_range2', sync);
  }
  return { arch, numbers };
});

let text = "// Made by tools/gen-syscalls.ts from the kernel's user-space headers; do not edit.\n\n";
text += '/** `name number` of every system call of an architecture, by number; x32 numbers are without __X32_SYSCALL_BIT. */\n';
text += 'export const syscallTables = {\n';
for (const { arch, numbers } of tables) {
  const words = [...numbers].sort(([, a], [, b]) => a - b).map(([name, number]) => `${name} ${number}`);
  text += `  ${arch}:\n    '${words.join(',')}',\n`;
}
text += '} as const;\n';
writeFileSync(path.join(import.meta.dirname, '../src/kernel/seccomp/syscalls.gen.ts'), text);
for (const { arch, numbers } of tables) console.log(`${arch}: ${numbers.size} system calls, highest ${Math.max(...numbers.values())}`);
