import { spawnSync } from 'node:child_process';
import { readSync } from 'node:fs';
import type { Context } from '../context.ts';

const newline = 0x0a;
const maxLineBytes = 64 << 10;

/** Asks on stdout and reads a line of stdin, without its end; empty at the end of input. `hidden`: what is typed on a terminal is not shown. */
export async function askLine(
  context: Pick<Context, 'out' | 'isTerminal'>,
  prompt: string,
  { hidden = false }: { readonly hidden?: boolean } = {},
): Promise<string> {
  context.out(prompt);
  if (!hidden || !context.isTerminal(0)) return readLine();
  // Node can switch echo off only with all else that a terminal does for a line.
  spawnSync('stty', ['-echo'], { stdio: ['inherit', 'ignore', 'ignore'] });
  try {
    return readLine();
  } finally {
    spawnSync('stty', ['echo'], { stdio: ['inherit', 'ignore', 'ignore'] });
    context.out('\n');
  }
}

/** Byte by byte: what follows the line stays for whoever reads next. */
function readLine(): string {
  const bytes: number[] = [];
  const one = Buffer.alloc(1);
  while (bytes.length < maxLineBytes && readSync(0, one) === 1 && one[0] !== newline) bytes.push(one[0] ?? 0);
  return Buffer.from(bytes).toString('utf8').replace(/\r$/, '');
}
