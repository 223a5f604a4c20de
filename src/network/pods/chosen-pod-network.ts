import type { CniPodNetwork } from '../cni/cni-pod-network.ts';
import type { BridgePodNetwork } from './bridge-pod-network.ts';
import type { PodAddresses, PodNetwork, PodNetworkStatus, PodToConnect } from './pod-network.ts';

/**
 * Plugins where they are configured, else the bridge. What a pod was given is the business of who gave it, whatever is configured later. A configuration
 * that is wrong counts: the bridge does not stand in for it.
 */
export class ChosenPodNetwork implements PodNetwork {
  private readonly plugins: CniPodNetwork;
  private readonly bridge: BridgePodNetwork;

  constructor(plugins: CniPodNetwork, bridge: BridgePodNetwork) {
    this.plugins = plugins;
    this.bridge = bridge;
  }

  async start(): Promise<void> {
    await this.plugins.start();
    await this.bridge.start();
  }

  async add(pod: PodToConnect, signal?: AbortSignal): Promise<PodAddresses> {
    return await (this.holderOf(pod.id) ?? this.configured()).add(pod, signal);
  }

  async delete(podId: string, signal?: AbortSignal): Promise<void> {
    await this.holderOf(podId)?.delete(podId, signal);
  }

  async check(podId: string, signal?: AbortSignal): Promise<void> {
    await (this.holderOf(podId) ?? this.configured()).check(podId, signal);
  }

  async status(signal?: AbortSignal): Promise<PodNetworkStatus> {
    return await this.configured().status(signal);
  }

  async gc(podIds: ReadonlySet<string>, signal?: AbortSignal): Promise<void> {
    await this.bridge.gc(podIds);
    await this.plugins.gc(podIds, signal);
  }

  async close(): Promise<void> {
    await this.plugins.close();
    await this.bridge.close();
  }

  private configured(): PodNetwork {
    return this.plugins.isConfigured() ? this.plugins : this.bridge;
  }

  private holderOf(podId: string): PodNetwork | undefined {
    return [this.plugins, this.bridge].find((network) => network.has(podId));
  }
}
