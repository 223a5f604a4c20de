import { createHash, type Hash } from 'node:crypto';
import { StrakeError } from '../base/index.ts';

/** The algorithms that image-spec registers and Strake verifies, and the length of their hex text (image-spec descriptor.md). */
const hexLengths = { sha256: 64, sha384: 96, sha512: 128 } as const;
export type DigestAlgorithm = keyof typeof hexLengths;

export interface Digest {
  readonly algorithm: DigestAlgorithm;
  /** Lower-case, of the algorithm's exact length: safe as a file name. */
  readonly hex: string;
}

/** Takes `sha256:HEX` apart. Throws InvalidArgument for every other form, so that no digest from outside becomes a path unchecked. */
export function parseDigest(text: string): Digest {
  const match = /^(sha256|sha384|sha512):([0-9a-f]+)$/.exec(text.slice(0, 160));
  const algorithm = match?.[1] as DigestAlgorithm | undefined;
  const hex = match?.[2] ?? '';
  if (algorithm === undefined || hex.length !== hexLengths[algorithm])
    throw new StrakeError('InvalidArgument', `invalid digest ${JSON.stringify(text.slice(0, 160))}`, { fields: { layer: 'oci' } });
  return { algorithm, hex };
}

export function isDigest(text: unknown): text is string {
  const match = typeof text === 'string' ? /^(sha256|sha384|sha512):([0-9a-f]{64,128})$/.exec(text) : null;
  return match !== null && match[2]?.length === hexLengths[match[1] as DigestAlgorithm];
}

/** A digest that is computed while bytes stream by. */
export class Digester {
  readonly algorithm: DigestAlgorithm;
  readonly #hash: Hash;
  #sizeBytes = 0;

  constructor(algorithm: DigestAlgorithm = 'sha256') {
    this.algorithm = algorithm;
    this.#hash = createHash(algorithm);
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.#sizeBytes += chunk.length;
  }

  /** `sha256:HEX` of what has come so far; more may come. */
  soFar(): string {
    return `${this.algorithm}:${this.#hash.copy().digest('hex')}`;
  }

  /** `sha256:HEX`. Ends the digester. */
  digest(): string {
    return `${this.algorithm}:${this.#hash.digest('hex')}`;
  }
}

/** The digest of bytes, sha256 unless told. */
export function digestOf(bytes: Uint8Array | string, algorithm: DigestAlgorithm = 'sha256'): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

/** The chain id of every layer, lowest first: names a layer together with all below it (image-spec config.md, "Layer ChainID"). */
export function chainIds(diffIds: readonly string[]): string[] {
  const chain: string[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    chain.push(below === undefined ? diffId : digestOf(`${below} ${diffId}`));
  }
  return chain;
}
