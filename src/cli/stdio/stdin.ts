/** The terminal's or file's input, chunk by chunk, until EOF or `stop`. */
export interface StdinReader {
  readonly chunks: AsyncIterable<Uint8Array>;
  stop(): void;
}

export function readStdin(): StdinReader {
  const stdin = process.stdin;
  return { chunks: stdin, stop: () => void stdin.destroy() };
}

/** Puts the terminal in raw mode; the answer puts it back. */
export function rawMode(): () => void {
  process.stdin.setRawMode(true);
  return () => void process.stdin.setRawMode(false);
}

export function terminalSize(): { readonly rows: number; readonly cols: number } | undefined {
  const { rows, columns } = process.stdout;
  return rows && columns ? { rows, cols: columns } : undefined;
}

/** Calls back when the window changes; the answer ends that. */
export function onResize(callback: () => void): () => void {
  process.on('SIGWINCH', callback);
  return () => void process.off('SIGWINCH', callback);
}
