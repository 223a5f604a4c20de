import type { Op } from '../../kernel/index.ts';
import type { Stdio } from '../compile/options.ts';
import type { RuntimeContext } from './context.ts';

/** The caller's terminal: our stdin and stdout. */
export interface Terminal {
  /** undefined where stdout is none, or has no size */
  size(): { readonly rows: number; readonly columns: number } | undefined;
  /** On the monitor whose directory that is; from then on no output is lost. */
  attach(monitorDirectory: string): AttachedTerminal;
}

export interface AttachedTerminal {
  /** Carries bytes between the terminal and the monitor until the process has ended: its exit status. */
  carry(): number;
}

/** A terminal in the foreground: the monitor holds the pty, and this process carries bytes between it and the caller's terminal. */
export function foregroundTerminal({ terminal }: RuntimeContext, dir: string): Stdio {
  const size = terminal.size();
  return {
    kind: 'monitor',
    dir,
    terminal: true,
    openStdin: true,
    stdinOnce: true,
    plainNewlines: true,
    ...(size ? { consoleSize: { rows: size.rows, cols: size.columns } } : {}),
  };
}

/** Starts the created process and stays until it has ended. Its exit code. */
export function carryTerminal({ launcher, terminal }: RuntimeContext, dir: string, operations: readonly Op[]): number {
  const attached = terminal.attach(dir);
  launcher.start(operations);
  launcher.handOver();
  return attached.carry();
}
