import { expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { mounts } from '../../api/containerd/index.ts';
import { silentLogger } from '../../base/index.ts';
import { rejection } from '../../core/fixtures.ts';
import { connectGrpc, inNamespace, serveGrpc } from '../../rpc/grpc/index.ts';
import { Activations } from './activations.ts';
import { mountsService } from './mounts-service.ts';

test('activate, info, update by a mask, list, deactivate', async () => {
  const root = mkdtempSync(path.join(tmpdir(), 'strake-mounts-'));
  const programs: string[] = [];
  // Mounts themselves are the other test's matter.
  const launcher = { run: async (operations: readonly { readonly op: string }[]) => void programs.push(operations.map(({ op }) => op).join(' ')) as never };
  const activations = new Activations({ directory: path.join(root, 'mounts'), launcher, log: silentLogger, now: () => new Date(1000) });
  const socket = path.join(root, 'socket');
  const server = await serveGrpc({ hosts: [{ kind: 'unix', path: socket, groupId: 0 }], services: [mountsService(activations)], log: silentLogger });
  const connection = connectGrpc({ kind: 'unix', path: socket });
  try {
    const client = connection.with(inNamespace('n')).client(mounts.Mounts);
    const tmpfs = { type: 'tmpfs', source: 'tmpfs', options: ['size=4k', 'nodev'] };
    const { info } = await client.activate({ name: 'one', mounts: [tmpfs], labels: { a: 'b' }, temporary: true });
    const [active] = info?.active ?? [];
    expect([active?.mount?.options, active?.mountPoint, active?.mountedAt?.seconds]).toEqual([['size=4k', 'nodev'], path.join(root, 'mounts/1/0'), 1n]);
    expect(info?.system.map(({ type, source, options }) => [type, source, options])).toEqual([['bind', active?.mountPoint ?? '', ['rbind']]]);
    const updated = await client.update({ info: { name: 'one', labels: { c: 'd' } }, updateMask: { paths: ['labels.c', 'labels.a'] } });
    expect({ ...updated.info?.labels }).toEqual({ c: 'd' });
    expect((await Array.fromAsync(client.list({ filters: ['labels.c==d'] }))).map(({ info: found }) => found?.name)).toEqual(['one']);
    expect((await client.info({ name: 'one' })).info?.active.length).toBe(1);
    await client.deactivate({ name: 'one' });
    expect(await rejection(client.info({ name: 'one' }))).toBe('NotFound: mount "one"');
    expect(await rejection(client.update({ info: { name: 'one' }, updateMask: { paths: ['system'] } }))).toBe(
      'InvalidArgument: cannot update "system" field on mount "one"',
    );
    expect(programs).toEqual(['mount_fs', 'umount']);
  } finally {
    connection.close();
    await server.close(0);
    rmSync(root, { recursive: true });
  }
});
