export { createContainerNetworks } from './container-networks.ts';
export type { NetworkCreation, NetworkMember, NetworksOptions } from './networks.ts';
export { Networks } from './networks.ts';
