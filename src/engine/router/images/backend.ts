import type { ImageDeleteItem, ImageHistoryItem, ImageInspect, ImageSummary, ProgressMessage } from '../../../api/docker/index.ts';
import type { Credentials, FoundRepository } from '../../../distribution/index.ts';
import type { Platform, Reference } from '../../../oci/index.ts';
import type { Filters } from '../../server/index.ts';

/** What the image routes need. Names are as users write them: references, ids, beginnings of ids. */
export interface ImagesBackend {
  /** `sharedSize`: bytes that an image has together with others are counted too. */
  list(filters: Filters, options: { readonly sharedSize: boolean }): Promise<readonly ImageSummary[]>;
  inspect(name: string): Promise<ImageInspect>;
  history(name: string): Promise<readonly ImageHistoryItem[]>;
  pull(
    reference: Reference,
    options: { readonly platform?: Platform; readonly credentials?: Credentials; readonly signal: AbortSignal },
  ): AsyncIterable<ProgressMessage>;
  /** Without a tag, all tags of the repository. */
  push(
    reference: Reference,
    options: { readonly platform: Platform | undefined; readonly credentials: Credentials | undefined; readonly signal: AbortSignal },
  ): AsyncIterable<ProgressMessage>;
  search(options: {
    readonly term: string;
    readonly limit: number;
    readonly credentials: Credentials | undefined;
    readonly signal: AbortSignal;
  }): Promise<readonly FoundRepository[]>;
  /** Looks everything up before it resolves. */
  save(names: readonly string[], options: { readonly platform: Platform | undefined; readonly signal: AbortSignal }): Promise<AsyncIterable<Uint8Array>>;
  load(
    archive: AsyncIterable<Uint8Array>,
    options: { readonly quiet: boolean; readonly platform: Platform | undefined; readonly signal: AbortSignal },
  ): AsyncIterable<ProgressMessage>;
  /** Without an archive, it is fetched from `from`. */
  import(
    archive: AsyncIterable<Uint8Array> | undefined,
    options: {
      readonly reference: Reference | undefined;
      readonly message: string;
      readonly from: string;
      readonly changes: readonly string[];
      readonly platform: Platform | undefined;
      readonly signal: AbortSignal;
    },
  ): AsyncIterable<ProgressMessage>;
  tag(name: string, reference: Reference): Promise<void>;
  delete(name: string, options: { readonly force: boolean }): Promise<readonly ImageDeleteItem[]>;
  prune(filters: Filters): Promise<{ readonly items: readonly ImageDeleteItem[]; readonly sizeBytes: number }>;
}
