import type { Op } from '../../kernel/index.ts';
import type { ProcessSpec } from '../../oci/index.ts';
import { invalid } from './error.ts';
import { openFlags } from './linux-numbers.ts';
import type { CreateOptions, ExecOptions, OutputRoute, Stdio, StdioRoutes } from './options.ts';
import { startFifoSlot } from './process.ts';
import type { SlotAllocator } from './slots.ts';

/** Bits of monitor's `flags`. */
const monitorFlags = { terminal: 1, openStdin: 2, stdinOnce: 4, plainNewlines: 32 } as const;
/** Bits of reap's `flags`. */
const reapFlags = { forwardSignals: 1 } as const;
/** stat(2), S_IFIFO */
const fifoType = 0o010000;
/** Bits of `streams`. */
const streams = { stdout: 1, stderr: 2 } as const;
/** For the other side: the reader of a FIFO, a logging program that is not ready. As long as containerd waits for the latter. */
const routeTimeoutMs = 10_000;
const logDrivers = { 'json-file': 0, cri: 1 } as const;

/** First operation of every program: how the process that runs it holds the stdio. */
export function monitorOps(stdio: Stdio, oomFile: string): readonly Op[] {
  if (stdio.kind === 'inherit') return [];
  const { log } = stdio;
  return [
    {
      op: 'monitor',
      side: 'host',
      dir: stdio.dir,
      flags:
        (stdio.terminal ? monitorFlags.terminal : 0) |
        (stdio.openStdin ? monitorFlags.openStdin : 0) |
        (stdio.stdinOnce ? monitorFlags.stdinOnce : 0) |
        (stdio.plainNewlines ? monitorFlags.plainNewlines : 0),
      logPath: log?.path ?? '',
      logDriver: logDrivers[log?.driver ?? 'json-file'],
      logMaxSize: log?.maxSizeBytes ?? 0,
      logMaxFiles: log?.maxFiles ?? 1,
      oomFile,
    },
    ...routeOps(stdio.routes ?? {}),
  ];
}

function routeOps({ stdin, stdout, stderr }: StdioRoutes): readonly Op[] {
  const input: readonly Op[] = stdin === undefined ? [] : [{ op: 'input_fifo', side: 'host', path: stdin }];
  if (stdout?.kind === 'program') return [...input, { op: 'output_program', side: 'host', argv: stdout.argv, env: stdout.env, timeoutMs: routeTimeoutMs }];
  // One descriptor for both: so what is written to a file stays in its order.
  if (stdout !== undefined && stderr !== undefined && stderr.kind === stdout.kind && stderr.path === stdout.path)
    return [...input, outputOp(stdout, streams.stdout | streams.stderr)];
  return [...input, ...(stdout === undefined ? [] : [outputOp(stdout, streams.stdout)]), ...(stderr === undefined ? [] : [outputOp(stderr, streams.stderr)])];
}

function outputOp(route: OutputRoute, mask: number): Op {
  if (route.kind === 'program') throw invalid('stdio', 'a logging program reads both streams');
  const { kind, path } = route;
  return kind === 'file'
    ? { op: 'output_file', side: 'host', streams: mask, path }
    : { op: 'output_fifo', side: 'host', streams: mask, path, timeoutMs: routeTimeoutMs };
}

/** Opened for both directions: opening never blocks, and reading waits for `start` however often writers come and go. */
export function startFifoOps({ start, machine }: Pick<CreateOptions | ExecOptions, 'start' | 'machine'>, slots: SlotAllocator): readonly Op[] {
  if (start.kind !== 'fifo') return [];
  const slot = slots.take();
  if (slot !== startFifoSlot) throw invalid('start', 'the FIFO takes the first descriptor');
  const { uid, gid } = machine.ordinaryUser ?? { uid: 0, gid: 0 };
  return [
    { op: 'mknod_in', side: 'host', path: start.path, mode: fifoType | 0o600, major: 0, minor: 0, uid, gid },
    { op: 'open', side: 'host', out: slot, path: start.path, flags: openFlags.readWrite | openFlags.closeOnExec, mode: 0 },
  ];
}

export function consoleSocketOps(stdio: Stdio, slots: SlotAllocator): { readonly slot?: number; readonly ops: readonly Op[] } {
  if (stdio.kind !== 'inherit' || stdio.consoleSocket === undefined) return { ops: [] };
  const slot = slots.take();
  return { slot, ops: [{ op: 'connect_unix', side: 'host', out: slot, path: stdio.consoleSocket }] };
}

/** `console`: bind the pty on /dev/console too, which an exec must not. */
export function terminalOps(process: ProcessSpec, stdio: Stdio, consoleSocket: number | undefined, options: { readonly console: boolean }): readonly Op[] {
  const wanted = stdio.kind === 'monitor' ? stdio.terminal : (process.terminal ?? false);
  if (!wanted) return [];
  if (stdio.kind === 'inherit' && consoleSocket === undefined)
    throw invalid('process.terminal', 'cannot allocate tty if runc will detach without setting console socket');
  const size = (stdio.kind === 'monitor' ? stdio.consoleSize : undefined) ?? { rows: process.consoleSize?.height ?? 0, cols: process.consoleSize?.width ?? 0 };
  return [
    {
      op: 'terminal',
      side: 'init',
      ...(consoleSocket === undefined ? {} : { consoleSocket }),
      rows: size.rows,
      cols: size.cols,
      console: options.console ? 1 : 0,
    },
  ];
}

export function detachOrReap({ detach, forwardSignals }: Pick<CreateOptions | ExecOptions, 'detach' | 'forwardSignals'>): readonly Op[] {
  if (detach) return [{ op: 'detach', side: 'host' }];
  return [{ op: 'reap', side: 'host', ...(forwardSignals ? { flags: reapFlags.forwardSignals } : {}) }];
}
