export { containerdChain } from './chain/containerd-chain.ts';
export { engineChain } from './chain/engine-chain.ts';
export type { ChainLink } from './chain/link.ts';
