import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomUUID, sign, verify } from 'node:crypto';
import { StrakeError } from '../../base/index.ts';
import type { Scope } from './scope.ts';

/** The claims of a token (distribution's "Token Authentication Implementation"). Times are s since the epoch. */
export interface TokenClaims {
  readonly iss: string;
  readonly sub: string;
  readonly aud: string | readonly string[];
  readonly exp: number;
  readonly nbf: number;
  readonly access: readonly Scope[];
}

/** Clocks of two machines differ a little. */
const leewaySeconds = 60;
const maxTokenLength = 16 << 10;

/** Signs with ES256 (RFC 7518 3.4). */
export class TokenSigner {
  readonly #key: KeyObject;

  constructor(privateKeyPem: string) {
    this.#key = createPrivateKey(privateKeyPem);
  }

  static newKey(): string {
    return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  }

  get publicKeyPem(): string {
    return createPublicKey(this.#key).export({ type: 'spki', format: 'pem' }) as string;
  }

  sign(claims: TokenClaims): string {
    const content = `${encode({ typ: 'JWT', alg: 'ES256' })}.${encode({ ...claims, iat: claims.nbf, jti: randomUUID() })}`;
    return `${content}.${sign('sha256', Buffer.from(content), { key: this.#key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  }
}

/** Verifies tokens of one issuer for one service, by its public key or certificate: ES256 for an elliptic key, RS256 for RSA, EdDSA for Ed25519. */
export class TokenVerifier {
  readonly #key: KeyObject;
  readonly #algorithm: string;
  readonly #issuer: string;
  readonly #service: string;

  constructor({ publicKeyPem, issuer, service }: { readonly publicKeyPem: string; readonly issuer: string; readonly service: string }) {
    this.#key = createPublicKey(publicKeyPem);
    this.#issuer = issuer;
    this.#service = service;
    const algorithm = algorithms[this.#key.asymmetricKeyType ?? ''];
    if (algorithm === undefined || (algorithm === 'ES256' && this.#key.asymmetricKeyDetails?.namedCurve !== 'prime256v1'))
      throw new StrakeError('InvalidArgument', `tokens cannot be signed with a key of type ${this.#key.asymmetricKeyType}`, { fields: { layer: 'registry' } });
    this.#algorithm = algorithm;
  }

  /** undefined: it is none, not ours, or its time is over. The algorithm is the key's, whatever the token says of it. */
  verify(token: string, nowMs = Date.now()): TokenClaims | undefined {
    const [header, claims, signature, ...more] = token.length > maxTokenLength ? [] : token.split('.');
    if (header === undefined || claims === undefined || signature === undefined || more.length > 0) return undefined;
    if ((decode(header) as { readonly alg?: unknown } | undefined)?.alg !== this.#algorithm) return undefined;
    const content = Buffer.from(`${header}.${claims}`);
    const digest = this.#algorithm === 'EdDSA' ? null : 'sha256';
    if (!verify(digest, content, { key: this.#key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'))) return undefined;
    const decoded = decode(claims);
    return isClaims(decoded) && this.#isForUs(decoded, nowMs / 1000) ? decoded : undefined;
  }

  #isForUs({ iss, aud, exp, nbf }: TokenClaims, now: number): boolean {
    return iss === this.#issuer && [aud].flat().includes(this.#service) && now < exp + leewaySeconds && now >= nbf - leewaySeconds;
  }
}

const algorithms: Readonly<Record<string, string>> = { ec: 'ES256', rsa: 'RS256', ed25519: 'EdDSA' };

function isClaims(value: unknown): value is TokenClaims {
  const claims = value as Partial<TokenClaims> | undefined;
  return (
    typeof claims === 'object' &&
    claims !== null &&
    typeof claims.iss === 'string' &&
    typeof claims.sub === 'string' &&
    typeof claims.exp === 'number' &&
    typeof claims.nbf === 'number' &&
    Array.isArray(claims.access) &&
    claims.access.every((entry: Partial<Scope> | null) => typeof entry?.type === 'string' && typeof entry.name === 'string' && Array.isArray(entry.actions))
  );
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decode(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    return undefined;
  }
}
