import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';

/** Bytes that the container wrote, and those together with its image's. */
export async function containerSizes(
  { snapshots, images }: ContainerContext,
  container: Container,
): Promise<{ readonly SizeRw: number; readonly SizeRootFs: number }> {
  const { sizeBytes } = await snapshots.usage(container.id);
  const image = await images.forContainer(container.document.imageId).catch(() => undefined);
  return { SizeRw: sizeBytes, SizeRootFs: sizeBytes + (image?.sizeBytes ?? 0) };
}
