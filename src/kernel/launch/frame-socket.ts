import { closeSync, constants, openSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { basename, dirname } from 'node:path';
import { StrakeError } from '../../base/index.ts';
import { within } from './deadline.ts';
import { encodeFrame, type Frame, FrameParser } from './frames.ts';

const connectTimeoutMs = 5_000;
const maxAddressBytes = 107;

/** A unix socket that carries frames. Every frame goes to `onFrame`; the end, once, to `onEnd`. */
export class FrameSocket {
  private readonly socket: Socket;
  private readonly parser = new FrameParser();
  onFrame: (frame: Frame) => void = () => {};
  onEnd: (error?: Error) => void = () => {};
  private ended = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
    socket.on('error', (error) => this.finish(error));
    // Of two sockets that end in the same moment Bun tells the close of one alone now and then.
    socket.on('end', () => this.finish());
    socket.on('close', () => this.finish());
  }

  /** Connects to `path`. Unavailable when nothing listens there. */
  static async connect(path: string): Promise<FrameSocket> {
    const { address, release } = socketAddress(path);
    const socket = connect({ path: address });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.once('connect', resolve);
    socket.once('error', reject);
    try {
      await within(promise, { what: 'a connection', timeoutMs: connectTimeoutMs });
    } catch (error) {
      socket.destroy();
      throw new StrakeError('Unavailable', `cannot connect to ${path}: ${(error as Error).message}`, { cause: error, fields: { layer: 'kernel' } });
    } finally {
      release();
      socket.off('error', reject);
    }
    return new FrameSocket(socket);
  }

  /** Queues a frame whose payload is `parts`, one after the other; resolves once the socket takes more. */
  async send(type: number, ...parts: readonly Uint8Array[]): Promise<void> {
    if (this.ended || this.socket.destroyed) throw new StrakeError('Unavailable', 'the connection to strake-init is closed', { fields: { layer: 'kernel' } });
    if (this.socket.write(encodeFrame(type, ...parts))) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.socket.once('drain', resolve);
    this.socket.once('close', resolve);
    await promise;
    this.socket.off('drain', resolve);
    this.socket.off('close', resolve);
  }

  /** Sends a whole frame; resolves once its memory may be used again: the kernel has it, or the connection has ended. */
  async sendFrame(frame: Buffer): Promise<void> {
    if (this.ended || this.socket.destroyed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.socket.once('close', resolve);
    this.socket.write(frame, () => resolve());
    await promise;
    this.socket.off('close', resolve);
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /** Does not keep the process alive. */
  unref(): void {
    this.socket.unref();
  }

  close(): void {
    this.socket.destroy();
  }

  private receive(chunk: Buffer): void {
    try {
      for (const frame of this.parser.push(chunk)) this.onFrame(frame);
    } catch (error) {
      this.socket.destroy();
      this.finish(error as Error);
    }
  }

  private finish(error?: Error): void {
    if (this.ended) return;
    this.ended = true;
    this.onEnd(error);
  }
}

/** An address that the kernel takes for `path`: by the descriptor of its directory when it is longer than sun_path (unix(7): 108 with the NUL). */
function socketAddress(path: string): { readonly address: string; release(): void } {
  if (Buffer.byteLength(path) <= maxAddressBytes) return { address: path, release: () => undefined };
  try {
    const directory = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
    return { address: `/proc/self/fd/${directory}/${basename(path)}`, release: () => closeSync(directory) };
  } catch (error) {
    throw new StrakeError('Unavailable', `cannot connect to ${path}: ${(error as Error).message}`, { cause: error, fields: { layer: 'kernel' } });
  }
}
