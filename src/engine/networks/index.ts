export type { ManagedNetwork, NetworkManager, NewManagedNetwork } from './network-manager.ts';
export type { NetworkCreation, NetworkMember, NetworksOptions } from './networks.ts';
export { Networks } from './networks.ts';
