// Writes src/kernel/seccomp/tables/*.gen.ts, the numbers of the system calls of every architecture, as libseccomp (≥ 2.6, Debian's libseccomp-dev; needs gcc)
// knows them: `node tools/bun.mjs tools/gen-syscalls.ts`. Run it by hand when a newer libseccomp brings system calls.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Table → libseccomp's name, and what its numbers are above (asm/unistd.h: __X32_SYSCALL_BIT, __NR_Linux of the three mips ABIs). */
const tables: Readonly<Record<string, readonly [token: string, base: number]>> = {
  x86_64: ['X86_64', 0],
  x86: ['X86', 0],
  x32: ['X32', 0x4000_0000],
  aarch64: ['AARCH64', 0],
  arm: ['ARM', 0],
  loongarch64: ['LOONGARCH64', 0],
  m68k: ['M68K', 0],
  mips: ['MIPS', 4000],
  mips64: ['MIPS64', 5000],
  mips64n32: ['MIPS64N32', 6000],
  parisc: ['PARISC', 0],
  parisc64: ['PARISC64', 0],
  ppc: ['PPC', 0],
  ppc64: ['PPC64', 0],
  riscv64: ['RISCV64', 0],
  s390: ['S390', 0],
  s390x: ['S390X', 0],
  sh: ['SH', 0],
};
/** Calls of arm alone stand far above the others (asm/unistd.h, __ARM_NR_BASE); the kernel has the second name of one for them all. */
const armPrivate = [0xf0000, 0xf0010] as const;
const armSecondName = ['sync_file_range2', 'arm_sync_file_range'] as const;
const numbersPerTable = 1000;

const program = `
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
static void range(const char *table, unsigned arch, int from, int to, int base)
{
	for (int nr = from; nr < to; nr++) {
		char *name = seccomp_syscall_resolve_num_arch(arch, nr);
		if (name)
			printf("%s %s %d\\n", table, name, nr - base);
		free(name);
	}
}
int main(void)
{
${Object.entries(tables)
  .map(([table, [token, base]]) => `\trange("${table}", SCMP_ARCH_${token}, ${base}, ${base + numbersPerTable}, ${base});`)
  .join('\n')}
	range("arm", SCMP_ARCH_ARM, ${armPrivate[0]}, ${armPrivate[1]}, 0);
	return 0;
}`;

function resolveAll(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'strake-syscalls-'));
  try {
    const binary = path.join(directory, 'resolve');
    const built = spawnSync('gcc', ['-x', 'c', '-o', binary, '-', '-lseccomp'], { input: program, encoding: 'utf8' });
    if (built.status !== 0) throw new Error(`gcc: ${built.stderr}`);
    return spawnSync(binary, { encoding: 'utf8', maxBuffer: 16 << 20 }).stdout;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const numbers = new Map(Object.keys(tables).map((table) => [table, new Map<string, number>()]));
for (const line of resolveAll().split('\n')) {
  const [table = '', name = '', number] = line.split(' ');
  numbers.get(table)?.set(name, Number(number));
}
const arm = numbers.get('arm');
arm?.set(armSecondName[0], arm.get(armSecondName[1]) ?? -1);

/** JSON text, which the engine parses by itself: a filter is compiled in a process that lives for milliseconds. */
const text = (table: ReadonlyMap<string, number>) => JSON.stringify(Object.fromEntries([...table].sort(([, a], [, b]) => a - b)));
const source = (constant: string, names: readonly string[]) =>
  [
    '// Made by tools/gen-syscalls.ts from libseccomp; do not edit.',
    '',
    `export const ${constant} = {`,
    ...names.map((name) => `  ${name}:\n    '${text(numbers.get(name) ?? new Map())}',`),
    '} as const;',
    '',
  ].join('\n');

const directory = path.join(import.meta.dirname, '../src/kernel/seccomp/tables');
mkdirSync(directory, { recursive: true });
const own = ['x86_64', 'x86', 'x32', 'aarch64', 'arm'];
writeFileSync(path.join(directory, 'own.gen.ts'), source('ownTables', own));
writeFileSync(
  path.join(directory, 'foreign.gen.ts'),
  source(
    'foreignTables',
    Object.keys(tables).filter((name) => !own.includes(name)),
  ),
);
for (const [table, { size }] of numbers) {
  if (size < 200) throw new Error(`${table}: only ${size} system calls found`);
  console.log(`${table}: ${size} system calls`);
}
