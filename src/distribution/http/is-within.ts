import { BlockList, isIP } from 'node:net';

/** An address of a network (`10.0.0.0/8`); a name is not looked up: whoever answers for names would decide. */
export function isWithin(address: string, network: string): boolean {
  const [, base = '', bits = ''] = /^([0-9a-fA-F.:]+)\/(\d{1,3})$/.exec(network) ?? [];
  const family = isIP(base);
  if (family === 0 || isIP(address) !== family || Number(bits) > (family === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  const type = family === 4 ? 'ipv4' : 'ipv6';
  list.addSubnet(base, Number(bits), type);
  return list.check(address, type);
}
