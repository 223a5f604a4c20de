/** What stands at one seam between a client and a container's process. */
export interface ChainLink {
  readonly seam: string;
  /** Name and version, where they are known. */
  readonly implementation: string;
  /** undefined: it is no process of its own, or not one of this machine's */
  readonly pid: number | undefined;
  /** Where the link above speaks to it. */
  readonly sockets: readonly string[];
}
