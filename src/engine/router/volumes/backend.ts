import type { Volume } from '../../../api/docker/index.ts';

/** What the volume routes need of the volumes. */
export interface VolumesBackend {
  create(volume: {
    readonly name?: string;
    readonly driver?: string;
    readonly options?: Readonly<Record<string, string>>;
    readonly labels?: Readonly<Record<string, string>>;
  }): Promise<Volume>;
  list(): readonly Volume[];
  get(name: string): Volume;
  remove(name: string, options: { readonly force: boolean }): Promise<void>;
  prune(wanted: (volume: Volume) => boolean): Promise<{ readonly names: readonly string[]; readonly sizeBytes: number }>;
  usersOf(name: string): readonly string[];
  isAnonymous(name: string): boolean;
}
