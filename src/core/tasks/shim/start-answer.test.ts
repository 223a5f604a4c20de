import { expect, test } from 'bun:test';
import { create, toBinary } from '@bufbuild/protobuf';
import { bootstrap } from '../../../api/containerd/index.ts';
import { formatEndpoint, parseStartAnswer } from './start-answer.ts';

const { BootstrapResultSchema } = bootstrap;
const address = 'unix:///run/containerd/s/0123';

test.each([
  [
    'protobuf',
    toBinary(BootstrapResultSchema, create(BootstrapResultSchema, { version: 3, address, protocol: 'ttrpc' })),
    { version: 3, address, protocol: 'ttrpc' },
  ],
  [
    'protobuf with what is new',
    toBinary(BootstrapResultSchema, create(BootstrapResultSchema, { version: 2, address, protocol: 'gRPC', metadata: { a: 'b' } })),
    { version: 2, address, protocol: 'grpc' },
  ],
  ['JSON', Buffer.from(`{"version":3,"address":"${address}","protocol":"ttrpc","other":1}\n`), { version: 3, address, protocol: 'ttrpc' }],
  ['an address', Buffer.from(`${address}\n`), { version: 2, address, protocol: 'ttrpc' }],
  ['an address in a virtual machine', Buffer.from('vsock://3:1024'), { version: 2, address: 'vsock://3:1024', protocol: 'ttrpc' }],
])('%s', (_, answer, endpoint) => {
  expect(parseStartAnswer(answer)).toEqual(endpoint);
  expect(parseStartAnswer(Buffer.from(formatEndpoint(endpoint)))).toEqual(endpoint);
});

test.each([
  ['nothing', '', 'Unavailable'],
  ['words', 'rubbish', 'Unavailable'],
  ['a relative address', 'unix://shim.sock', 'Unavailable'],
  ['an address and words', `${address} and more`, 'Unavailable'],
  ['no JSON', '{"version":', 'Unavailable'],
  ['JSON without an address', '{"version":2,"protocol":"ttrpc"}', 'Unavailable'],
  ['a version before shims', `{"version":1,"address":"${address}","protocol":"ttrpc"}`, 'Unavailable'],
  ['another protocol', `{"version":2,"address":"${address}","protocol":"http"}`, 'Unavailable'],
  ['a newer version', `{"version":4,"address":"${address}","protocol":"ttrpc"}`, 'Unimplemented'],
])('%s is no answer', (_, answer, code) => {
  expect(() => parseStartAnswer(Buffer.from(answer))).toThrow(expect.objectContaining({ name: 'StrakeError', code }));
});
