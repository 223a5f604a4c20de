/** `containerd-shim-strake-v2`: what containerd calls to start a shim, to clean up after one, and to ask what it is. */
import { basename } from 'node:path';
import { errorMessage, StrakeError } from '../../base/index.ts';
import { parseShimFlags, type ShimFlags } from './flags.ts';
import { readInput } from './read-input.ts';

export interface ShimProduct {
  readonly version: string;
  /** The words that start this program again as a shim. */
  readonly self: readonly string[];
}

/** The exit status. Each verb's module is loaded alone: `start` is called for every container. What a verb answers is printed; a failure is one line on stderr, which containerd shows. */
export async function shimMain(args: readonly string[], product: ShimProduct): Promise<number> {
  try {
    const flags = parseShimFlags(args);
    if (flags.version) await print(`${basename(process.argv0)}:\n  Version:  ${product.version}\n`);
    else if (flags.info) await print(await (await import('./info.ts')).encodeInfo(await readInput(), product.version));
    else await act(flags, product);
    return 0;
  } catch (error) {
    process.stderr.write(`io.containerd.strake.v2: ${errorMessage(error)}\n`);
    return 1;
  }
}

async function act(flags: ShimFlags, product: ShimProduct): Promise<void> {
  if (flags.namespace === '') throw new StrakeError('InvalidArgument', 'shim namespace cannot be empty', { fields: { layer: 'shim' } });
  switch (flags.action) {
    case 'start':
      await print(await (await import('./start.ts')).startShim(flags, product, await readInput()));
      return;
    case 'delete':
      await print(await (await import('./delete.ts')).deleteTask(flags));
      return;
    case 'serve':
      await (await import('./serve.ts')).serveShim(flags);
      return;
    default:
      throw new StrakeError('InvalidArgument', `${JSON.stringify(flags.action)} is neither start nor delete`, { fields: { layer: 'shim' } });
  }
}

async function print(data: string | Uint8Array): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  process.stdout.write(data, () => resolve());
  await promise;
}
