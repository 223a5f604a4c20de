import type { ImageProcessConfig, Reference } from '../../../oci/index.ts';

export interface CommitBackend {
  /** Answers the new image's id. */
  commit(
    container: string,
    options: {
      readonly reference: Reference | undefined;
      readonly author: string;
      readonly comment: string;
      readonly changes: readonly string[];
      readonly config: ImageProcessConfig | undefined;
      readonly pause: boolean;
      readonly signal: AbortSignal;
    },
  ): Promise<string>;
}
