export { containerdChain } from './chain/containerd-chain.ts';
export { criChain } from './chain/cri-chain.ts';
export { engineChain } from './chain/engine-chain.ts';
export type { ChainLink } from './chain/link.ts';
