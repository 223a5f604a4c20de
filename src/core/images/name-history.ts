import type { ImageRecord } from './images.ts';

/** Digests that a name stood for, newest first, kept at its record. */
const label = 'io.strake.image.versions';
/** A label has 4096 bytes. */
const kept = 16;

export function earlierVersions({ labels }: Pick<ImageRecord, 'labels'>): readonly string[] {
  return (labels[label] ?? '').split(' ').filter((digest) => digest !== '');
}

/** Labels of a name that moves on to another target. */
export function movedOn(before: ImageRecord, digest: string): Readonly<Record<string, string>> {
  const earlier = [before.target.digest, ...earlierVersions(before)].filter((version, index, all) => version !== digest && all.indexOf(version) === index);
  return { ...before.labels, [label]: earlier.slice(0, kept).join(' ') };
}
