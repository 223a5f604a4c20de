import path from 'node:path';
import { errorMessage, type Logger } from '../../base/index.ts';
import type { Launcher } from '../../kernel/index.ts';
import { BridgePodNetwork, fileNetworkStore, type PodNetwork } from '../../network/index.ts';
import type { CriSettings } from './flags.ts';

export interface PodNetworkPlace {
  readonly settings: Pick<CriSettings, 'root' | 'state' | 'podSubnet'>;
  readonly launcher: Launcher;
  readonly log: Logger;
}

/** The network of pods, as it was before: a bridge of ours. */
export async function composePodNetwork({ settings: { root, state, podSubnet }, launcher, log }: PodNetworkPlace): Promise<PodNetwork> {
  const network = new BridgePodNetwork({
    store: fileNetworkStore({ networks: path.join(root, 'cri/networks.json'), endpoints: path.join(state, 'cri/endpoints') }),
    hostPortDirectory: path.join(state, 'cri/host-ports'),
    runProgram: async (operations) => await launcher.run(operations),
    subnet: podSubnet,
    onWarning: (message, error) => log.warn(message, { error: errorMessage(error) }),
  });
  await network.start();
  return network;
}
