/** What is killed. */
export const targets = ['daemon', 'shim', 'monitor', 'init'] as const;
export type Target = (typeof targets)[number];

/** A row of the grid's chains: who holds the tasks of our containerd. */
export interface Chain {
  readonly name: string;
  readonly runtime: string;
  readonly targets: readonly Target[];
}

export const inProcess: Chain = { name: 'in process', runtime: 'io.containerd.runc.v2', targets: ['daemon', 'monitor', 'init'] };
export const chains: readonly Chain[] = [
  inProcess,
  { name: 'our shim', runtime: '/strake/containerd-shim-strake-v2', targets },
  // It has no monitor: the shim is that.
  { name: 'shim-runc-v2', runtime: '/usr/bin/containerd-shim-runc-v2', targets: ['daemon', 'shim', 'init'] },
];
