import type { Op } from '../program/index.ts';
import { type LaunchOptions, TaskConnection } from './connection.ts';
import { FileSession } from './file-session.ts';
import type { FrameSocket } from './frame-socket.ts';
import { PortRelay } from './port-relay.ts';
import type { Launched } from './zygote.ts';

/** Runs a program over a fresh connection to strake-init, and keeps it as the control connection; closed after a failure. */
export async function launchOver(frames: FrameSocket, operations: readonly Op[], options: LaunchOptions): Promise<Launched> {
  const connection = new TaskConnection(frames);
  try {
    return { connection, report: await connection.launch(operations, options) };
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** Begins a file session over a fresh connection to strake-init. */
export async function fileSessionOver(frames: FrameSocket, operations: readonly Op[], options: LaunchOptions): Promise<FileSession> {
  const session = new FileSession(frames);
  await session.begin(operations, options);
  return session;
}

/** Connects to a port over a fresh connection to strake-init. */
export async function portRelayOver(frames: FrameSocket, operations: readonly Op[], options: LaunchOptions): Promise<PortRelay> {
  const relay = new PortRelay(frames);
  await relay.begin(operations, options);
  return relay;
}
