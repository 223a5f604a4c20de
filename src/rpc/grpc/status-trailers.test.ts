import { expect, test } from 'bun:test';
import { errorCodes, StrakeError } from '../../base/index.ts';
import { errorOfTrailers, okTrailers, trailersOf } from './status-trailers.ts';

test.each(errorCodes)('%s goes over the wire and back with message and fields', (code) => {
  const fields = { layer: 'core', errno: 'ENOSPC', remedy: 'free some room', __proto__2: 'x' };
  const back = errorOfTrailers(trailersOf(new StrakeError(code, 'blob sha256:1', { fields: { ...fields, index: 3 } })));
  expect({ code: back?.code, message: back?.message, fields: back?.fields }).toEqual({ code, message: 'blob sha256:1', fields });
});

test.each([
  ['no file "ä" at 100%\n: not found', 'no file "%C3%A4" at 100%25%0A: not found'],
  ['\u{1f600}', '%F0%9F%98%80'],
])('the message %j is %j on the wire', (message, text) => {
  const trailers = trailersOf(new StrakeError('Internal', message));
  expect(trailers).toEqual([
    ['grpc-status', '2'],
    ['grpc-message', text],
  ]);
  expect(errorOfTrailers(trailers)?.message).toBe(message);
});

test('a call that succeeded has no error', () => {
  expect(errorOfTrailers(okTrailers)).toBeUndefined();
});

test.each<[string, readonly (readonly [string, string])[], string, string]>([
  ['no status', [], 'Internal', 'the server ended the call without a status'],
  ['an unknown status', [['grpc-status', '99']], 'Internal', ''],
  ['a message that is not encoded rightly', [['grpc-status', '5'], ['grpc-message', '100%, %zz'] as const], 'NotFound', '100%, %zz'],
  ['fields that are no message', [['grpc-status', '5'], ['strake-error-bin', '/////w=='] as const], 'NotFound', ''],
])('%s', (_, trailers, code, message) => {
  const error = errorOfTrailers(trailers);
  expect([error?.code, error?.message, error?.fields['remedy']]).toEqual([code, message, undefined]);
});
