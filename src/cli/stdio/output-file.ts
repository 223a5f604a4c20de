import { open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { StrakeError } from '../../base/index.ts';
import type { Context } from '../context.ts';

/** Writes all chunks to stdout, or to a file that appears when it is whole. What stands in its place and is no regular file is written to as it is. */
export async function writeOutput(context: Pick<Context, 'out'>, file: string | undefined, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  if (file === undefined) {
    for await (const chunk of chunks) context.out(chunk);
    return;
  }
  const existing = await stat(file).catch(() => undefined);
  if (existing?.isDirectory() === true)
    throw new StrakeError('InvalidArgument', `invalid output path: ${JSON.stringify(file)} is a directory`, { fields: { layer: 'cli' } });
  const whole = existing === undefined || existing.isFile();
  const target = whole ? path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}`) : file;
  try {
    await using handle = await open(target, 'w', 0o600);
    for await (const chunk of chunks) await handle.write(chunk);
  } catch (error) {
    if (whole) await rm(target, { force: true });
    throw error;
  }
  if (whole) await rename(target, file);
}
