import { isCode, randomId } from '../../base/index.ts';
import type { Descriptor } from '../../oci/index.ts';
import type { ContentStore } from '../content/content.ts';

/** Small blobs are stored under an ingest of their own, so that two who store the same do not wait for each other. One that a crash left is garbage. */
export const putPrefix = 'put-';

/** Stores bytes under their digest; that they are there already is fine. */
export async function putBlob(content: ContentStore, { digest, size }: Descriptor, bytes: Uint8Array): Promise<void> {
  try {
    await using writer = await content.writer({ ref: `${putPrefix}${randomId()}`, expectedDigest: digest, expectedSizeBytes: size });
    // Another namespace may have it: then all of it is there.
    if (writer.offsetBytes < bytes.length) await writer.write(bytes);
    await writer.commit({});
  } catch (error) {
    if (!isCode(error, 'AlreadyExists')) throw error;
    if (!(await isDamaged(content, digest, size))) return;
    await putBlob(content, { mediaType: '', digest, size }, bytes);
  }
}

/** Reading a damaged blob sets it aside. */
async function isDamaged(content: ContentStore, digest: string, size: number): Promise<boolean> {
  try {
    await content.readAll(digest, size);
    return false;
  } catch (error) {
    if (isCode(error, 'DataLoss') || isCode(error, 'NotFound')) return true;
    throw error;
  }
}
