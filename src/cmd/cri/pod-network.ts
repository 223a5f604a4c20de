import path from 'node:path';
import { errorMessage, type Logger } from '../../base/index.ts';
import type { Launcher } from '../../kernel/index.ts';
import { openPodNetwork, type PodNetwork } from '../../network/index.ts';
import type { CriSettings } from './flags.ts';

export interface PodNetworkPlace {
  readonly settings: Pick<CriSettings, 'root' | 'state' | 'podNetwork' | 'podSubnet' | 'cniConfigDirectory' | 'cniPluginDirectories'>;
  readonly launcher: Launcher;
  readonly log: Logger;
}

export async function composePodNetwork({ settings, launcher, log }: PodNetworkPlace): Promise<PodNetwork> {
  const { root, state, podNetwork, podSubnet, cniConfigDirectory, cniPluginDirectories } = settings;
  return await openPodNetwork({
    kind: podNetwork,
    cni: { configDirectory: cniConfigDirectory, pluginDirectories: cniPluginDirectories },
    subnet: podSubnet,
    dataDirectory: path.join(root, 'cri/network'),
    runDirectory: path.join(state, 'cri/network'),
    runProgram: async (operations) => await launcher.run(operations),
    onWarning: (message, error) => log.warn(message, { error: errorMessage(error) }),
  });
}
