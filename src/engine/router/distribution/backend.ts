import type { Credentials } from '../../../distribution/index.ts';
import type { Descriptor, Platform, Reference } from '../../../oci/index.ts';

export interface DistributionBackend {
  /** What a name stands for in its registry. */
  inspect(options: {
    readonly reference: Reference;
    readonly credentials: Credentials | undefined;
    readonly signal: AbortSignal;
  }): Promise<{ readonly descriptor: Descriptor; readonly platforms: readonly Platform[] }>;
}
