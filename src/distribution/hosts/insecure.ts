import { isWithin } from '../http/is-within.ts';

/** Is a registry spoken to without TLS, or with any certificate? Loopback always is, as with docker. Entries: `name`, `name:port`, a network `10.0.0.0/8`, or `*`. */
export function isInsecure(host: string, listed: readonly string[]): boolean {
  const url = URL.parse(`https://${host}/`);
  if (url === null) return false;
  const name = url.hostname.replace(/^\[|\]$/g, '');
  if (name === 'localhost' || isWithin(name, '127.0.0.0/8') || isWithin(name, '::1/128')) return true;
  return listed.some((entry) => entry === '*' || entry === host || entry === url.hostname || isWithin(name, entry));
}
