import { afterAll, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readCrioConfig } from './config.ts';

const directory = mkdtempSync(path.join(os.tmpdir(), 'strake-crio-'));
afterAll(() => rmSync(directory, { recursive: true }));
const nowhere = path.join(directory, 'nowhere');
const file = path.join(directory, 'crio.conf');

function read(text: string, dropIns = nowhere) {
  writeFileSync(file, text);
  return readCrioConfig(file, dropIns, true);
}

const runtime = "[crio.runtime]\ndefault_runtime = 'r'\n[crio.runtime.runtimes.r]\nruntime_path = '/usr/bin/r'\n";

test('what it does not say is as in CRI-O', () => {
  expect(read(runtime)).toEqual({
    listen: '/var/run/crio/crio.sock',
    streamAddress: '127.0.0.1',
    streamPort: 0,
    cgroupManager: 'systemd',
    logLevel: undefined,
    defaultRuntime: 'r',
    runtimes: { r: { path: '/usr/bin/r', root: undefined } },
    dropInfraContainer: true,
    pinnedImages: [],
    insecureRegistries: [],
    networkDirectory: '/etc/cni/net.d',
    pluginDirectories: ['/opt/cni/bin'],
    ignored: [],
  });
});

test('a runtime of the type vm is a shim', () => {
  const { runtimes } = read(`${runtime}[crio.runtime.runtimes.kata]\nruntime_type = 'vm'\nruntime_path = '/opt/kata'\nruntime_root = '/run/vc'`);
  expect(runtimes).toEqual({ r: { path: '/usr/bin/r', root: undefined }, kata: { shim: '/opt/kata' } });
});

test('the files of the directory stand over it, the later over the earlier; what means nothing here is named', () => {
  const dropIns = path.join(directory, 'crio.conf.d');
  mkdirSync(dropIns);
  writeFileSync(
    path.join(dropIns, '10-a.conf'),
    "[crio.api]\nstream_port = '10250'\nlisten = '/a.sock'\n[crio.runtime.runtimes.s]\nruntime_path = '/s'\nruntime_root = '/run/s'",
  );
  writeFileSync(path.join(dropIns, '20-b.conf'), "[crio.api]\nlisten = 'unix:///b.sock'\n[crio.network]\nplugin_dirs = ['/x', '/y']\nplugin_dir = '/z'");
  writeFileSync(path.join(dropIns, '.hidden'), '?');
  const config = read(
    `${runtime}[crio.image]\npause_image = 'pause'\npinned_images = ['p']\n[crio.metrics]\nenable_metrics = false\nmetrics_port = 9090`,
    dropIns,
  );
  expect(config).toMatchObject({
    listen: '/b.sock',
    streamPort: 10_250,
    runtimes: { r: { path: '/usr/bin/r' }, s: { path: '/s', root: '/run/s' } },
    pinnedImages: ['p'],
    pluginDirectories: ['/x', '/y', '/z'],
    ignored: ['crio.image.pause_image', 'crio.metrics.metrics_port'],
  });
});

test.each([
  ["[crio.api]\nlisten = 'x'", 'crio.api.listen is not an absolute path'],
  ["[crio.api]\nstream_port = '70000'", 'crio.api.stream_port is not a port'],
  ['[crio.runtime]\ncgroup_manager = 3', 'crio.runtime.cgroup_manager is not a text'],
  ["[crio.runtime]\ncgroup_manager = 'x'", 'crio.runtime.cgroup_manager is not one of cgroupfs, systemd'],
  ["[crio.runtime]\ndrop_infra_ctr = 'no'", 'crio.runtime.drop_infra_ctr is not true or false'],
  ['[crio.runtime.runtimes]\nx = 1', 'crio.runtime.runtimes.x is not a table'],
  ["[crio.runtime.runtimes.kata]\nruntime_type = 'pod'", 'crio.runtime.runtimes.kata.runtime_type pod is not possible: oci and vm are'],
  ["[crio.runtime]\ndefault_runtime = 'no-such-runtime'", /^.*: crio\.runtime\.runtimes\.no-such-runtime has no runtime_path, and no no-such-runtime is in \//],
])('%j is refused', (text, message) => {
  const own = '[crio.runtime]\n';
  const whole = text.includes('default_runtime') ? text : text.startsWith(own) ? runtime.replace(own, `${text}\n`) : `${text}\n${runtime}`;
  expect(() => read(whole)).toThrow(message);
});
