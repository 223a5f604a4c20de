import { type Descriptor, isDigest } from '../../../oci/index.ts';

/** What the record of an image points to; undefined when it is damaged. */
export function readTarget(text: unknown): Descriptor | undefined {
  try {
    const target = JSON.parse(String(text)) as Descriptor;
    return isDigest(target.digest) && typeof target.mediaType === 'string' && Number.isSafeInteger(target.size) ? target : undefined;
  } catch {
    return undefined;
  }
}
