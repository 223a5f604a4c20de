import path from 'node:path';
import type { Op } from '../../kernel/program/index.ts';
import { type CniOptions, CniPodNetwork } from '../cni/cni-pod-network.ts';
import { fileNetworkStore } from '../network-store.ts';
import { BridgePodNetwork } from './bridge-pod-network.ts';
import { ChosenPodNetwork } from './chosen-pod-network.ts';
import type { PodNetwork } from './pod-network.ts';

/** Who gives pods their network: plugins of CNI, the bridge that needs none, or `auto`: plugins once they are configured, the bridge until then. */
export const podNetworkKinds = ['auto', 'cni', 'bridge'] as const;
export type PodNetworkKind = (typeof podNetworkKinds)[number];

export interface OpenPodNetworkOptions {
  readonly kind: PodNetworkKind;
  readonly cni: CniOptions;
  /** of the bridge; `strake-pods` when absent */
  readonly bridge?: string | undefined;
  /** of the bridge, CIDR; a free one when absent */
  readonly subnet?: string | undefined;
  /** Own directories, below the data root and the run directory. */
  readonly dataDirectory: string;
  readonly runDirectory: string;
  /** Runs a program of host operations to its end. */
  readonly runProgram: (operations: readonly Op[]) => Promise<unknown>;
  readonly onWarning: (message: string, error: unknown) => void;
}

/** Opens and starts it. */
export async function openPodNetwork(options: OpenPodNetworkOptions): Promise<PodNetwork> {
  const { kind, cni, bridge, subnet, dataDirectory, runDirectory, runProgram, onWarning } = options;
  const plugins = () => new CniPodNetwork({ ...cni, attachmentDirectory: path.join(dataDirectory, 'cni'), onWarning });
  const builtIn = () =>
    new BridgePodNetwork({
      store: fileNetworkStore({ networks: path.join(dataDirectory, 'networks.json'), endpoints: path.join(runDirectory, 'endpoints') }),
      hostPortDirectory: path.join(runDirectory, 'host-ports'),
      runProgram,
      bridge,
      subnet,
      onWarning,
    });
  const network = kind === 'cni' ? plugins() : kind === 'bridge' ? builtIn() : new ChosenPodNetwork(plugins(), builtIn());
  await network.start();
  return network;
}
