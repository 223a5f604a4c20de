import { spawnSync } from 'node:child_process';

/** The terminal's or file's input, chunk by chunk, until EOF or `stop`. */
export interface StdinReader {
  readonly chunks: AsyncIterable<Uint8Array>;
  stop(): void;
}

export function readStdin(): StdinReader {
  const stdin = process.stdin;
  return { chunks: stdin, stop: () => void stdin.destroy() };
}

/** Puts the terminal in raw mode; the answer puts it back. Node's raw mode turns a line feed into two characters still, which the container's terminal has done. */
export function rawMode(): () => void {
  process.stdin.setRawMode(true);
  // There is no other call for it in Node. Without stty, lines end with one carriage return more, which is seen by programs that read the screen alone.
  spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
  return () => void process.stdin.setRawMode(false);
}

export function terminalSize(): { readonly rows: number; readonly cols: number } | undefined {
  const { rows, columns } = process.stdout;
  return rows && columns ? { rows, cols: columns } : undefined;
}

/** Calls back when the window changes; the answer ends that. */
export function onResize(callback: () => void): () => void {
  // Not SIGWINCH itself: the size is read anew before this event alone.
  process.stdout.on('resize', callback);
  return () => void process.stdout.off('resize', callback);
}
