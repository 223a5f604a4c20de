// X.509 certificates for tests (RFC 5280), made with the keys of Node's crypto: an authority, and what it signs.
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

export interface TestCertificate {
  /** PEM */
  readonly certificate: string;
  /** PEM */
  readonly key: string;
}

const commonName = '550403';
const ecdsaWithSha256 = '2a8648ce3d040302';
const basicConstraints = '551d13';
const subjectAltName = '551d11';

/** A certificate for 127.0.0.1, signed by `issuer` or by itself; one that is signed by itself is an authority. */
export function makeCertificate(name: string, issuer?: { readonly name: string; readonly key: string }): TestCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const extensions = [
    issuer === undefined ? extension(basicConstraints, sequence(boolean(true))) : undefined,
    extension(subjectAltName, sequence(der(0x87, Buffer.from([127, 0, 0, 1])))),
  ];
  const algorithm = sequence(oid(ecdsaWithSha256));
  const body = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    distinguished(issuer?.name ?? name),
    sequence(time(Date.now() - 3600_000), time(Date.now() + 86_400_000)),
    distinguished(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions.filter((one) => one !== undefined))),
  );
  const signer: KeyObject | string = issuer?.key ?? privateKey;
  const certificate = sequence(body, algorithm, der(0x03, Buffer.concat([Buffer.from([0]), sign('sha256', body, signer)])));
  return { certificate: pem('CERTIFICATE', certificate), key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string };
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, Buffer.concat(parts));
const integer = (bytes: Buffer): Buffer => der(0x02, bytes);
const boolean = (value: boolean): Buffer => der(0x01, Buffer.from([value ? 0xff : 0]));
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const distinguished = (name: string): Buffer => sequence(der(0x31, sequence(oid(commonName), der(0x0c, Buffer.from(name)))));
const extension = (id: string, value: Buffer): Buffer => sequence(oid(id), boolean(true), der(0x04, value));

/** UTCTime: YYMMDDHHMMSSZ. */
function time(ms: number): Buffer {
  const text = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '');
  return der(0x17, Buffer.from(text.slice(2)));
}

const pem = (label: string, bytes: Buffer): string =>
  `-----BEGIN ${label}-----\n${bytes.toString('base64').replace(/.{64}/g, '$&\n').trimEnd()}\n-----END ${label}-----\n`;
