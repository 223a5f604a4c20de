import { expect, test } from 'bun:test';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { runcOptions } from '../api/containerd/index.ts';
import { ociRuntimeOf, taskOptions } from './runtime-options.ts';

const place = { namespace: 'ns', runtimeRoot: '/run/roots' };
const encoded = (options: MessageInitShape<typeof runcOptions.OptionsSchema>) => ({
  typeUrl: 'containerd.runc.v1.Options',
  value: toBinary(runcOptions.OptionsSchema, create(runcOptions.OptionsSchema, options)),
});

test.each([
  ['none', undefined],
  ['an empty Any', { typeUrl: '', value: new Uint8Array() }],
  ['an empty path of a configuration', { typeUrl: 'runtimeoptions.v1.Options', value: new Uint8Array() }],
  ['those of runc without a binary', encoded({ systemdCgroup: true })],
  ['dockerd’s own', encoded({ binaryName: 'runc', root: '/run/docker/runtime-runc' })],
])('ours runs it: %s', (_what, options) => {
  expect(ociRuntimeOf(taskOptions(options), place)).toBe(undefined);
});

test('a binary by its path, or its name in PATH; its state in the namespace’s directory of the root', () => {
  expect(ociRuntimeOf(taskOptions(encoded({ binaryName: '/bin/sh', root: '/run/r', noPivotRoot: true })), place)).toEqual({
    path: '/bin/sh',
    root: '/run/r/ns',
    systemdCgroup: false,
    noPivot: true,
    noNewKeyring: false,
  });
  expect(ociRuntimeOf(taskOptions(encoded({ binaryName: 'sh' })), place)).toMatchObject({ path: expect.stringMatching(/\/sh$/), root: '/run/roots/ns' });
});

test('what is not there, or not ours, is refused', () => {
  expect(() => ociRuntimeOf(taskOptions(encoded({ binaryName: 'no-such-runtime' })), place)).toThrow(
    'exec: "no-such-runtime": executable file not found in $PATH',
  );
  expect(() => taskOptions({ typeUrl: 'x/other.Options', value: new Uint8Array([1]) })).toThrow('options of the type other.Options');
  expect(() => taskOptions({ typeUrl: 'containerd.runc.v1.Options', value: new Uint8Array([0xff]) })).toThrow('options: not a containerd.runc.v1.Options');
});
