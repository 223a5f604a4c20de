import { writeSync } from 'node:fs';
import path from 'node:path';
import { MonitorAttachment, type Op, TaskConnection } from '../../kernel/index.ts';
import type { Stdio } from '../compile/options.ts';

/** A terminal in the foreground: the monitor holds the pty, and this process carries bytes between it and the caller's terminal. */
export function foregroundTerminal(dir: string): Stdio {
  const { rows, columns } = process.stdout;
  return {
    kind: 'monitor',
    dir,
    terminal: true,
    openStdin: true,
    stdinOnce: true,
    plainNewlines: true,
    ...(rows > 0 ? { consoleSize: { rows, cols: columns } } : {}),
  };
}

/** Starts the created process and stays until it has ended. Its exit code. */
export async function carryTerminal(dir: string, operations: readonly Op[]): Promise<number> {
  const socket = path.join(dir, 'monitor.sock');
  const control = await TaskConnection.connect(socket);
  const attachment = await MonitorAttachment.open(socket, { stdin: true, stdout: true, stderr: true });
  const { stdin, stdout } = process;
  const send = (data: Buffer) => void attachment.writeStdin(data).catch(ignoreEnd);
  const finish = () => void attachment.closeStdin().catch(ignoreEnd);
  const resize = () => void control.resize(stdout.rows, stdout.columns).catch(ignoreEnd);
  try {
    await control.watch();
    await control.start(operations);
    if (stdin.isTTY) stdin.setRawMode(true);
    stdin.on('data', send).on('end', finish);
    process.on('SIGWINCH', resize);
    for await (const { data } of attachment.output) writeWhole(data);
    return (await control.exited).code;
  } finally {
    process.off('SIGWINCH', resize);
    stdin.off('data', send).off('end', finish).pause();
    if (stdin.isTTY) stdin.setRawMode(false);
    attachment.close();
    control.close();
  }
}

/** The process has ended; its exit is on the way. */
function ignoreEnd(): void {}

function writeWhole(data: Uint8Array): void {
  for (let rest = data; rest.length > 0; ) rest = rest.subarray(writeSync(1, rest));
}
