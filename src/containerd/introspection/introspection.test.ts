import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import * as containerd from '../../api/containerd/index.ts';
import { silentLogger } from '../../base/index.ts';
import { rejection } from '../../core/fixtures.ts';
import { type Client, connectGrpc, type GrpcServer, serveGrpc } from '../../rpc/grpc/index.ts';
import { packAny, unpackAny } from '../any.ts';
import { versionService } from '../version/service.ts';
import { corePlugins, servicePlugins } from './plugins.ts';
import { introspectionService } from './service.ts';

const { introspection } = containerd;
const services = [
  containerd.containers.Containers,
  containerd.content.Content,
  containerd.diff.Diff,
  containerd.events.Events,
  containerd.images.Images,
  introspection.Introspection,
  containerd.leases.Leases,
  containerd.mounts.Mounts,
  containerd.namespaces.Namespaces,
  containerd.sandbox.Controller,
  containerd.sandbox.Store,
  containerd.snapshots.Snapshots,
  containerd.streaming.Streaming,
  containerd.tasks.Tasks,
  containerd.transfer.Transfer,
  containerd.version.Version,
].map(({ typeName }) => typeName);
const directory = mkdtempSync(path.join(os.tmpdir(), 'strake-introspection-'));
const socket = path.join(directory, 'c.sock');
const product = { version: '1.2.3', revision: 'abc' };
const connection = connectGrpc({ kind: 'unix', path: socket });
const client: Client<typeof introspection.Introspection> = connection.client(introspection.Introspection);
let server: GrpcServer;

/** Of the tasks' service the name is all that counts here. */
const tasksFace = { ...versionService(product), description: containerd.tasks.Tasks };
const runtimeInfo = async (runtime: string) => ({ name: `asked for ${runtime}` });

async function serve(): Promise<GrpcServer> {
  const served = [versionService(product)];
  return await serveGrpc({
    hosts: [{ kind: 'unix', path: socket, groupId: 0 }],
    services: [...served, introspectionService({ root: directory, services: [...served, tasksFace], runtimeInfo })],
    log: silentLogger,
  });
}

beforeAll(async () => {
  server = await serve();
});
afterAll(async () => {
  connection.close();
  await server.close();
  rmSync(directory, { recursive: true });
});

const names = async (...filters: string[]) => (await client.plugins({ filters })).plugins.map(({ type, id }) => `${type} ${id}`);

test('plugins are what is served, and can be filtered as clients do', async () => {
  expect(await names('type==io.containerd.grpc.v1')).toEqual([
    'io.containerd.grpc.v1 introspection',
    'io.containerd.grpc.v1 tasks',
    'io.containerd.grpc.v1 version',
  ]);
  expect(await names('type==io.containerd.snapshotter.v1,id==overlayfs')).toEqual(['io.containerd.snapshotter.v1 overlayfs']);
  expect(await names('id==native', 'id==walking')).toEqual(['io.containerd.snapshotter.v1 native', 'io.containerd.differ.v1 walking']);
  expect(await rejection(names('type=='))).toStartWith('InvalidArgument: ');
});

test('every plugin finds what it requires', () => {
  const all = [...corePlugins('/r'), ...servicePlugins(services)];
  const types = new Set(all.map(({ type }) => type));
  // The faces of what is not served here are not there.
  expect(servicePlugins([]).length).toBe(0);
  for (const { type, id, requires = [] } of all)
    for (const required of requires) expect(`${type} ${id}: ${types.has(required) ? '' : required}`).toBe(`${type} ${id}: `);
});

test('a plugin by its name', async () => {
  const { plugin } = await client.pluginInfo({ type: 'io.containerd.snapshotter.v1', id: 'overlayfs' });
  expect(plugin?.capabilities).toContain('remap-ids');
  expect(plugin?.platforms[0]?.os).toBe('linux');
  expect(await rejection(client.pluginInfo({ type: 'x', id: 'y' }))).toBe('NotFound: plugin x.y not found');
});

test('a runtime, by the plugin that runs tasks', async () => {
  const ask = async (id: string) =>
    await client.pluginInfo({ type: 'io.containerd.runtime.v2', id, options: packAny(containerd.RuntimeRequestSchema, { runtimePath: 'a.b.c.v2' }) });
  const { plugin, extra } = await ask('task');
  expect(plugin?.id).toBe('task');
  expect(extra === undefined ? undefined : unpackAny(extra, containerd.RuntimeInfoSchema)?.name).toBe('asked for a.b.c.v2');
  const other = client.pluginInfo({ type: 'io.containerd.gc.v1', id: 'scheduler', options: packAny(containerd.RuntimeRequestSchema, {}) });
  expect(await rejection(other)).toBe('Unimplemented: plugin does not provided extra information');
});

test('the server says who it is, and is the same after a restart', async () => {
  const before = await client.server({});
  expect(before.pid).toBe(BigInt(process.pid));
  expect(before.uuid).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  await server.close();
  server = await serve();
  expect((await client.server({})).uuid).toBe(before.uuid);
});
