import { demultiplex, type HijackedStream } from '../../docker-client/index.ts';
import type { Context } from '../context.ts';
import { DetachDetector, defaultDetachKeys, parseDetachKeys } from './detach-keys.ts';
import { onResize, rawMode, readStdin, terminalSize } from './stdin.ts';

export interface SessionOptions {
  readonly stream: HijackedStream;
  readonly terminal: boolean;
  readonly stdin: boolean;
  readonly detachKeys?: string | undefined;
  /** Tells the engine the window's size, now and on every change; only for terminals. */
  readonly resize: (size: { readonly rows: number; readonly cols: number }) => Promise<void>;
}

/** Connects the terminal to a hijacked stream until its output ends, or the person detaches. */
export async function runSession(context: Context, options: SessionOptions): Promise<'ended' | 'detached'> {
  const undo: (() => void)[] = [];
  const detached = Promise.withResolvers<'detached'>();
  try {
    if (options.terminal && options.stdin && context.isTerminal(0)) undo.push(rawMode());
    if (options.terminal) undo.push(onResize(() => void sendSize(options)));
    if (options.terminal) await sendSize(options);
    if (options.stdin) undo.push(pumpStdin(options, () => detached.resolve('detached')));
    return await Promise.race([pumpOutput(context, options), detached.promise]);
  } finally {
    for (const step of undo.toReversed()) step();
    options.stream.close();
  }
}

async function sendSize(options: SessionOptions): Promise<void> {
  const size = terminalSize();
  // A container that has just ended has no window: nothing to tell anybody.
  if (size) await options.resize(size).catch(() => undefined);
}

function pumpStdin(options: SessionOptions, onDetach: () => void): () => void {
  const reader = readStdin();
  const detector = new DetachDetector(parseDetachKeys(options.detachKeys || defaultDetachKeys));
  const pump = async () => {
    for await (const chunk of reader.chunks) {
      const { data, detached } = options.terminal ? detector.feed(chunk) : { data: chunk, detached: false };
      if (data.length > 0) await options.stream.write(data);
      if (detached) return onDetach();
    }
    options.stream.end();
  };
  // A reader that is stopped because the output ended rejects; the output's end is the session's result.
  pump().catch(() => undefined);
  return () => reader.stop();
}

async function pumpOutput(context: Context, options: SessionOptions): Promise<'ended'> {
  if (options.terminal) for await (const chunk of options.stream.output) context.out(chunk);
  else for await (const frame of demultiplex(options.stream.output)) frame.stream === 'stdout' ? context.out(frame.data) : context.err(frame.data);
  return 'ended';
}
