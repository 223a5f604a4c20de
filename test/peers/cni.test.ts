// The real CNI plugins under our pod network, in namespaces of their own.
import { beforeAll, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { peerRootDir } from '../../tools/peers/recipe.ts';
import { PeerWorld } from '../lib/peer-world.ts';

const setupMs = 600_000; // the first run on a machine builds the peer root

beforeAll(async () => {
  await using _peers = await PeerWorld.start();
}, setupMs);

test('a chain of bridge, host-local, portmap and tuning: add, check, delete, status, garbage', () => {
  const directory = mkdtempSync(join(tmpdir(), 'strake-cni-plugins-'));
  try {
    const script = 'mount -t sysfs sysfs /sys && ip link set lo up && exec "$@"';
    const program = [process.execPath, join(import.meta.dirname, 'cni-plugins.ts'), directory, join(peerRootDir, 'usr/lib/cni')];
    const result = spawnSync('unshare', ['--net', '--mount', 'sh', '-c', script, 'sh', ...program], { encoding: 'utf8' });
    expect(result.stderr).toBe('');
    const seen = JSON.parse(result.stdout);
    expect(seen.status).toEqual([true, 'network pods: bridge, portmap, tuning']);
    expect(seen.added).toEqual(['10.77.0.2']);
    expect(seen.inside).toContain('inet 10.77.0.2/24');
    expect(seen.inside).toContain('default via 10.77.0.1 dev eth0');
    expect(seen.inside).toEndWith('\n77');
    expect(seen.byPort).toEqual(['pod', 'pod']);
    expect(seen.given).toEqual(['10.77.0.2']);
    expect(seen.check).toBe('done');
    expect(seen.broken).toBe('network plugin bridge failed (CHECK)');
    expect(seen.deleted).toEqual([[], true, true]);
    expect(seen.lost).toEqual(['10.77.0.3']);
    expect(seen.collected).toEqual([]);
    expect(seen.fails).toBe('network plugin tuning failed (ADD)');
    expect(seen.afterFailure).toEqual([]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
