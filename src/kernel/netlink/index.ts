export type { Ipv4Prefix } from './addresses.ts';
export { formatIpv4, interfaceName, ipv4Mask, ipv4Network, macBytes, parseIpv4, parseIpv4Prefix } from './addresses.ts';
export type { LinkIndex, NetlinkPart } from './message.ts';
export type { NetAddress, NetDevice } from './net-device.ts';
export { listNetDevices, moveNetDevice, parseNetDevices, restoreNetDevice } from './net-device.ts';
export type { NftChain, NftExpression } from './nftables.ts';
export {
  masquerade,
  matchDestination,
  matchDestinationPort,
  matchEstablished,
  matchInterface,
  matchLocalDestination,
  matchSource,
  matchTranslatedDestination,
  removeTable,
  replaceTable,
  translateDestination,
  verdict,
} from './nftables.ts';
export type { NetlinkOptions } from './operation.ts';
export { netfilterOperation, routeOperation } from './operation.ts';
export type { BridgeOptions, LinkChange, VethOptions } from './rtnetlink.ts';
export { addAddress, addRoute, changeLink, createBridge, createVeth, deleteLink, reflectOnPort } from './rtnetlink.ts';
