import { isIP } from 'node:net';
import { isObject, type JsonObject } from './network-config.ts';

/** The addresses of the pod's own interface in a result of any version: SPEC.md, "Success"; before 0.3.0: `ip4` and `ip6`. */
export function addressesOf(result: JsonObject): readonly string[] {
  return [...listed(result), ...old(result)].flatMap((text) => {
    const address = typeof text === 'string' ? (text.split('/')[0] ?? '') : '';
    return isIP(address) === 0 ? [] : [address];
  });
}

/** Without those of interfaces that stay on the machine. */
function listed({ ips, interfaces }: JsonObject): readonly unknown[] {
  if (!Array.isArray(ips)) return [];
  return ips.filter((ip): ip is JsonObject => isObject(ip) && isOfPod(ip['interface'], interfaces)).map(({ address }) => address);
}

function isOfPod(index: unknown, interfaces: unknown): boolean {
  if (typeof index !== 'number' || !Array.isArray(interfaces)) return true;
  const owner: unknown = interfaces[index];
  return isObject(owner) && typeof owner['sandbox'] === 'string' && owner['sandbox'] !== '';
}

function old({ ip4, ip6 }: JsonObject): readonly unknown[] {
  return [ip4, ip6].flatMap((part) => (isObject(part) ? [part['ip']] : []));
}
