import { StrakeError } from '../../base/index.ts';

/** An IPv4 network, or an address with its prefix length. */
export interface Ipv4Prefix {
  /** as a number, host byte order */
  readonly address: number;
  readonly length: number;
}

/** `172.17.0.1/16`; without a length: /32. InvalidArgument for anything else. */
export function parseIpv4Prefix(text: string): Ipv4Prefix {
  const [address = '', length = '32', ...rest] = text.split('/');
  if (rest.length > 0 || !/^\d{1,2}$/.test(length) || Number(length) > 32) throw invalid(text);
  return { address: parseIpv4(address), length: Number(length) };
}

export function parseIpv4(text: string): number {
  const parts = text.split('.');
  if (parts.length !== 4 || parts.some((part) => !/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255)) throw invalid(text);
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}

export function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}

export function ipv4Mask(length: number): number {
  return length === 0 ? 0 : (0xffff_ffff << (32 - length)) >>> 0;
}

export function ipv4Network({ address, length }: Ipv4Prefix): number {
  return (address & ipv4Mask(length)) >>> 0;
}

export function ipv4Bytes(address: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(address >>> 0);
  return bytes;
}

/** `02:42:ac:11:00:02` */
export function macBytes(text: string): Buffer {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text))
    throw new StrakeError('InvalidArgument', `invalid MAC address ${JSON.stringify(text)}`, { fields: { layer: 'kernel' } });
  return Buffer.from(text.replaceAll(':', ''), 'hex');
}

/** An interface name as the kernel takes it: 1–15 bytes without slash, colon and space, and neither `.` nor `..`. */
export function interfaceName(text: string): string {
  if (!/^[^\s/:\0]{1,15}$/.test(text) || Buffer.byteLength(text) > 15 || text === '.' || text === '..')
    throw new StrakeError('InvalidArgument', `invalid interface name ${JSON.stringify(text)}`, { fields: { layer: 'kernel' } });
  return text;
}

function invalid(text: string): StrakeError {
  return new StrakeError('InvalidArgument', `invalid IPv4 address ${JSON.stringify(text)}`, { fields: { layer: 'kernel' } });
}
