import { isCode } from '../../base/index.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';

/** Bytes that the container wrote, and those together with its image's. */
export async function containerSizes(
  { snapshots, images }: ContainerContext,
  container: Container,
): Promise<{ readonly SizeRw: number; readonly SizeRootFs: number }> {
  // Of a container that outlived a lost database, nothing is known.
  const { sizeBytes } = await snapshots.usage(container.id).catch(zeroWhenNotFound);
  const image = await images.forContainer(container.document.imageId).catch(() => undefined);
  return { SizeRw: sizeBytes, SizeRootFs: sizeBytes + (image?.sizeBytes ?? 0) };
}

function zeroWhenNotFound(error: unknown): { readonly sizeBytes: number } {
  if (!isCode(error, 'NotFound')) throw error;
  return { sizeBytes: 0 };
}
