import { isCode } from '../../base/index.ts';
import type { BlobInfo, ContentStore } from './content.ts';

/** undefined where it is not stored, which may be as it was damaged. */
export async function findBlob(content: ContentStore, digest: string): Promise<BlobInfo | undefined> {
  try {
    return await content.info(digest);
  } catch (error) {
    if (isCode(error, 'NotFound')) return undefined;
    throw error;
  }
}

export async function holdsBlob(content: ContentStore, digest: string): Promise<boolean> {
  return (await findBlob(content, digest)) !== undefined;
}
