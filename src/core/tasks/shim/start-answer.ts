import { fromBinary } from '@bufbuild/protobuf';
import { bootstrap } from '../../../api/containerd/index.ts';
import { StrakeError } from '../../../base/index.ts';
import type { ShimEndpoint } from './shim-tasks.ts';

const { BootstrapResultSchema } = bootstrap;

/** The newest task service that is spoken here. */
export const newestShimVersion = 3;
const oldestShimVersion = 2;

/**
 * What a shim's `start` printed: a BootstrapResult as protobuf (containerd 2.3 on), an object of JSON (1.7 to 2.2), or the address alone, which is of version 2 over ttrpc.
 * Unavailable when it is none of these; Unimplemented for a newer service.
 */
export function parseStartAnswer(answer: Uint8Array): ShimEndpoint {
  const text = Buffer.from(answer).toString().trim();
  const endpoint = text.startsWith('{')
    ? fromJson(text)
    : isAddress(text)
      ? { version: oldestShimVersion, address: text, protocol: 'ttrpc' }
      : fromProtobuf(answer);
  const { version, address, protocol } = endpoint;
  if (version > newestShimVersion) throw new StrakeError('Unimplemented', `unsupported shim version (${version})`, { fields: { layer: 'core' } });
  if (version < oldestShimVersion || !isAddress(address) || (protocol !== 'ttrpc' && protocol !== 'grpc')) throw notAnAnswer(text);
  return endpoint;
}

/** As containerd keeps it beside the bundle. */
export function formatEndpoint({ version, address, protocol }: ShimEndpoint): string {
  return JSON.stringify({ version, address, protocol });
}

function fromJson(text: string): ShimEndpoint {
  try {
    const { version, address, protocol } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    if (Number.isSafeInteger(version) && typeof address === 'string' && typeof protocol === 'string')
      return { version: version as number, address, protocol: protocol.toLowerCase() };
  } catch {
    // What is no JSON is no answer either.
  }
  throw notAnAnswer(text);
}

function fromProtobuf(answer: Uint8Array): ShimEndpoint {
  try {
    const { version, address, protocol } = fromBinary(BootstrapResultSchema, answer);
    return { version, address, protocol: protocol.toLowerCase() };
  } catch {
    throw notAnAnswer(Buffer.from(answer).toString());
  }
}

/** Of a socket's path, or of a virtual machine's. */
function isAddress(text: string): boolean {
  return /^(unix:\/\/\/|vsock:\/\/|hvsock:\/\/|tcp:\/\/)[^\0\s]+$/.test(text);
}

function notAnAnswer(text: string): StrakeError {
  return new StrakeError('Unavailable', `the shim’s start answered ${JSON.stringify(text.slice(0, 200))}, which is no address`, { fields: { layer: 'core' } });
}
