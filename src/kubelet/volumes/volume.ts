/** A volume of a pod that can be mounted: a directory or file of the machine, or an image that the runtime mounts. */
export type Volume =
  | {
      readonly kind: 'path';
      readonly path: string;
      /** No container may write to it, whatever its mount says. */
      readonly readOnly: boolean;
      /** Containers write to it, so that what is below it may be any link. */
      readonly foreign: boolean;
    }
  | { readonly kind: 'image'; readonly reference: string; readonly pullPolicy: string | undefined };

/** What a kubelet mounts itself. Paths are absolute, of the machine. */
export interface HostMounts {
  /** An empty file system in memory on the directory `target`. */
  tmpfs(target: string, options: { readonly sizeBytes: bigint | undefined; readonly mode: number; readonly gid: number }): Promise<void>;
  /**
   * Binds what is at `subPath` inside `volume` on `target`, which is made: links are resolved inside the volume, as whoever writes to it may put
   * any there. A directory is made where nothing is.
   */
  bindBelow(volume: string, subPath: string, target: string): Promise<void>;
  /** Takes everything that is mounted below `directory` away, then the directory with all that is in it. Missing is fine. */
  remove(directory: string): Promise<void>;
  /** Takes a cgroup without processes away in every hierarchy: its path is from their roots. Missing is fine. */
  removeCgroup(path: string): Promise<void>;
}
