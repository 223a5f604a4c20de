import type { ContentStore, MetadataDatabase } from '../../core/index.ts';
import { Catalogue } from './catalogue.ts';
import { DigestLocks } from './digest-locks.ts';
import { Uploads } from './uploads.ts';

export interface StorageOptions {
  readonly content: ContentStore;
  /** With `registrySchema`. */
  readonly db: MetadataDatabase;
  readonly now?: () => Date;
}

/** Everything that a registry keeps. */
export interface Storage {
  readonly content: ContentStore;
  readonly catalogue: Catalogue;
  readonly uploads: Uploads;
  readonly locks: DigestLocks;
}

export function createStorage({ content, db, now = () => new Date() }: StorageOptions): Storage {
  const catalogue = new Catalogue(db, now);
  const locks = new DigestLocks();
  const uploads = new Uploads({ content, db, locks, now, link: (...blob) => catalogue.linkBlob(...blob) });
  return { content, catalogue, uploads, locks };
}
