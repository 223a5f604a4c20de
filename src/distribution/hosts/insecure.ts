import { BlockList, isIP } from 'node:net';

/** Is a registry spoken to without TLS, or with any certificate? Loopback always is, as with docker. Entries: `name`, `name:port`, a network `10.0.0.0/8`, or `*`. */
export function isInsecure(host: string, listed: readonly string[]): boolean {
  const url = URL.parse(`https://${host}/`);
  if (url === null) return false;
  const name = url.hostname.replace(/^\[|\]$/g, '');
  if (name === 'localhost' || isWithin(name, '127.0.0.0/8') || isWithin(name, '::1/128')) return true;
  return listed.some((entry) => entry === '*' || entry === host || entry === url.hostname || isWithin(name, entry));
}

/** An address of a network; a name is not looked up: whoever answers for names would decide about TLS. */
function isWithin(address: string, network: string): boolean {
  const [, base = '', bits = ''] = /^([0-9a-fA-F.:]+)\/(\d{1,3})$/.exec(network) ?? [];
  const family = isIP(base);
  if (family === 0 || isIP(address) !== family || Number(bits) > (family === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  const type = family === 4 ? 'ipv4' : 'ipv6';
  list.addSubnet(base, Number(bits), type);
  return list.check(address, type);
}
