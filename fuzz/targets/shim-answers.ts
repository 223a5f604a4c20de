import { create, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { bootstrap } from '../../src/api/containerd/index.ts';
import { formatEndpoint, parseStartAnswer } from '../../src/core/tasks/shim/start-answer.ts';
import { accepted, check } from '../target.ts';

const { BootstrapResultSchema } = bootstrap;

const address = fc.oneof(
  fc.constantFrom('unix:///run/containerd/s/1', 'unix://relative', 'vsock://3:1', 'hvsock:///run/v:1', 'tcp://', '', '\0/abstract', 'unix:///a b', '/run/s'),
  fc.string({ maxLength: 20 }),
);
const fields = fc.record({
  version: fc.constantFrom(-1, 0, 1, 2, 3, 4, 2 ** 31 - 1),
  address,
  protocol: fc.constantFrom('ttrpc', 'TTRPC', 'grpc', '', 'http'),
});
const answer = fc.oneof(
  fields.map((result) => Buffer.from(toBinary(BootstrapResultSchema, create(BootstrapResultSchema, result)))),
  fields.map((result) => Buffer.from(JSON.stringify(result))),
  fc.jsonValue({ maxDepth: 2 }).map((value) => Buffer.from(JSON.stringify(value))),
  address.map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
);
const change = fc.option(fc.tuple(fc.nat(), fc.nat(255)), { nil: undefined });

/** What a shim prints at its start: an address that we know how to reach, or a refusal; and it is the same when it is read from beside the bundle. */
export function shimAnswers(runs: number, seed: number): void {
  const property = fc.property(answer, change, (bytes, changed) => {
    if (changed !== undefined && bytes.length > 0) bytes[changed[0] % bytes.length] = changed[1];
    const endpoint = accepted(() => parseStartAnswer(bytes));
    if (endpoint === undefined) return;
    check(endpoint.version === 2 || endpoint.version === 3, `version ${endpoint.version}`);
    check(endpoint.protocol === 'ttrpc' || endpoint.protocol === 'grpc', `protocol ${endpoint.protocol}`);
    check(/^[a-z]+:\/\/[^\0\s]+$/.test(endpoint.address), `address ${JSON.stringify(endpoint.address)}`);
    check(
      JSON.stringify(parseStartAnswer(Buffer.from(formatEndpoint(endpoint)))) === JSON.stringify(endpoint),
      `${JSON.stringify(endpoint)} is read as another one`,
    );
  });
  fc.assert(property, { numRuns: runs, seed });
}
