import { expect, test } from 'bun:test';
import { Code, ConnectError } from '@connectrpc/connect';
import { type ErrorCode, errorCodes, StrakeError } from '../../base/index.ts';
import { fromConnectError, toConnectError } from './error-status.ts';

test.each<[ErrorCode, string, Code, string]>([
  ['NotFound', 'image "x"', Code.NotFound, 'image "x": not found'],
  ['NotFound', 'image "x": not found', Code.NotFound, 'image "x": not found'],
  ['AlreadyExists', 'lease "l"', Code.AlreadyExists, 'lease "l": already exists'],
  ['InvalidArgument', 'name is empty', Code.InvalidArgument, 'name is empty: invalid argument'],
  ['Unimplemented', '', Code.Unimplemented, 'not implemented'],
  ['Canceled', 'stopped', Code.Canceled, 'stopped: context canceled'],
  ['Internal', 'a bug', Code.Unknown, 'a bug'],
])('%s %j becomes status %p', (code, message, status, text) => {
  const error = toConnectError(new StrakeError(code, message));
  expect([error.code, error.rawMessage]).toEqual([status, text]);
});

test.each([
  ['an error of the kernel', Object.assign(new Error('no such file'), { code: 'ENOENT' }), Code.NotFound, 'no such file: not found'],
  ['an abort', new DOMException('stop', 'AbortError'), Code.Canceled, 'stop: context canceled'],
  ['any error', new Error('a bug'), Code.Unknown, 'a bug'],
  ['a text', 'text', Code.Unknown, 'text'],
  ['the failure of a call', new ConnectError('far away: not found', Code.NotFound), Code.NotFound, 'far away: not found'],
])('%s is mapped by its class', (_, thrown, status, text) => {
  const error = toConnectError(thrown);
  expect([error.code, error.rawMessage]).toEqual([status, text]);
});

test.each(errorCodes)('%s goes over the wire and back with message and fields', (code) => {
  const fields = { layer: 'core', errno: 'ENOSPC', remedy: 'free some room', __proto__2: 'x' };
  const back = fromConnectError(toConnectError(new StrakeError(code, 'blob sha256:1', { fields: { ...fields, index: 3 } })));
  expect({ code: back.code, message: back.message, fields: back.fields }).toEqual({ code, message: 'blob sha256:1', fields });
});

test.each([
  [Code.Internal, 'Internal'],
  [Code.Unknown, 'Internal'],
] as const)('status %p of a peer is of class %s', (status, code) => {
  expect(fromConnectError(new ConnectError('x', status)).code).toBe(code);
});

test('fields of a peer that are no message are left out', () => {
  expect(fromConnectError(new ConnectError('x', Code.NotFound, { 'strake-error-bin': '/////w==' })).fields).toEqual({});
});
