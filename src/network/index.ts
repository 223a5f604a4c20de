export type { BridgeNetworksOptions } from './bridge-networks.ts';
export { BridgeNetworks } from './bridge-networks.ts';
export type { HostLinks, HostRoute } from './host-links.ts';
export type { NetworkFiles, NetworkState, NetworkStore, StoredEndpoint, StoredNetwork } from './network-store.ts';
export { fileNetworkStore } from './network-store.ts';
export type { Connection, ConnectRequest, EndpointFacts, ManagedNetwork, NetworkManager, NewManagedNetwork } from './networks.ts';
export type { DialPort, PortDialer } from './port-dialer.ts';
export { createPortDialer } from './port-dialer.ts';
