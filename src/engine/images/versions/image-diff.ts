import type { ContainerChange, ImageConfigDifference } from '../../../api/docker/index.ts';
import { type Comparer, viewSnapshot } from '../../../core/index.ts';
import { toChanges } from '../../changes.ts';
import type { Images } from '../images.ts';
import { configDifferences } from './config-differences.ts';

/** First the configuration, then files, in the order of their paths. */
export type ImageDifference = { readonly Config: readonly ImageConfigDifference[] } | { readonly Files: readonly ContainerChange[] };

/** What of `from` is changed, added or gone in `to`. */
export async function* diffImages(images: Images, comparer: Comparer, from: string, to: string, signal: AbortSignal): AsyncGenerator<ImageDifference> {
  const [before, after] = [await images.get(from), await images.get(to)];
  yield { Config: configDifferences(before.config, after.config) };
  if (before.chainId === after.chainId) return;
  const { snapshots } = images.options;
  await using lower = await viewSnapshot(snapshots, before.chainId);
  await using upper = await viewSnapshot(snapshots, after.chainId);
  for await (const batch of toChanges(comparer.changes(lower.mount, upper.mount, { signal }))) yield { Files: batch };
}
