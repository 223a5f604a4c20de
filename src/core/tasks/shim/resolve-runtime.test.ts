import { expect, test } from 'bun:test';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { resolveRuntime, shimName } from './resolve-runtime.ts';

test.each([
  ['io.containerd.runc.v2', 'containerd-shim-runc-v2'],
  ['io.containerd.kata-fc.v2', 'containerd-shim-kata-fc-v2'],
  ['runsc.v1', 'containerd-shim-runsc-v1'],
])('%s is %s', (runtime, name) => {
  expect(shimName(runtime)).toBe(name);
});

test.each(['', 'runc', '.runc.v2', 'a.b.', 'a..v2', 'a.b/c.v2', './containerd-shim-runc-v2', 'io.containerd.../../x.v2'])('%p is no runtime', (runtime) => {
  expect(() => resolveRuntime(runtime)).toThrow(expect.objectContaining({ name: 'StrakeError', code: 'InvalidArgument' }));
});

test('by name in PATH, or by path, as long as it can be executed', () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'strake-runtimes-'));
  try {
    const shim = path.join(directory, 'containerd-shim-test-v9');
    writeFileSync(shim, '', { mode: 0o755 });
    expect(resolveRuntime('io.containerd.test.v9', `/no/such:relative:${directory}`)).toBe(shim);
    expect(resolveRuntime(shim, '')).toBe(shim);
    expect(() => resolveRuntime('io.containerd.test.v9', '/no/such')).toThrow(
      'runtime "io.containerd.test.v9" binary not installed: containerd-shim-test-v9 is not in PATH',
    );
    chmodSync(shim, 0o644);
    expect(() => resolveRuntime(shim, '')).toThrow(`invalid custom binary path: ${shim} is not an executable`);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
