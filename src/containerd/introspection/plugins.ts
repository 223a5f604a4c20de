/** What clients ask for by containerd's names of plugins: dockerd and ctr look snapshotters up, and what they can do. */

export interface Plugin {
  readonly type: string;
  readonly id: string;
  /** Types of plugins. */
  readonly requires?: readonly string[];
  /** Of this machine's platform alone. */
  readonly platform?: true;
  readonly exports?: Readonly<Record<string, string>>;
  readonly capabilities?: readonly string[];
}

const type = (name: string) => `io.containerd.${name}`;
const metadata = type('metadata.v1');
const events = type('event.v1');

/** The parts of a core, in the order in which each finds there what it requires. */
export function corePlugins(root: string): readonly Plugin[] {
  const snapshots = `${root}/snapshots`;
  return [
    { type: type('content.v1'), id: 'content', exports: { root: `${root}/content` } },
    { type: type('warning.v1'), id: 'deprecations' },
    { type: events, id: 'exchange' },
    { type: type('snapshotter.v1'), id: 'native', platform: true, exports: { root: snapshots } },
    { type: type('snapshotter.v1'), id: 'overlayfs', platform: true, exports: { root: snapshots }, capabilities: ['remap-ids', 'only-remap-ids'] },
    {
      type: metadata,
      id: 'sqlite',
      requires: [type('content.v1'), events, type('snapshotter.v1')],
      exports: { policy: 'shared', path: `${root}/metadata.db` },
    },
    { type: type('gc.v1'), id: 'scheduler', requires: [metadata] },
    { type: type('differ.v1'), id: 'walking', requires: [metadata], platform: true },
    { type: type('lease.v1'), id: 'manager', requires: [metadata, type('gc.v1')] },
  ];
}

interface KnownService {
  readonly service: string;
  readonly id: string;
  /** Its `service.v1`, where containerd has one. */
  readonly local?: string;
  readonly requires?: readonly string[];
  /** What it requires and nothing else is the face of. */
  readonly behind?: readonly Plugin[];
}

const knownServices: readonly KnownService[] = [
  { service: 'containerd.services.containers.v1.Containers', id: 'containers', local: 'containers-service', requires: [events, metadata] },
  { service: 'containerd.services.content.v1.Content', id: 'content', local: 'content-service', requires: [metadata] },
  { service: 'containerd.services.diff.v1.Diff', id: 'diff', local: 'diff-service', requires: [type('differ.v1')] },
  { service: 'containerd.services.events.v1.Events', id: 'events', requires: [events] },
  { service: 'containerd.services.images.v1.Images', id: 'images', local: 'images-service', requires: [metadata, type('gc.v1'), type('warning.v1')] },
  { service: 'containerd.services.introspection.v1.Introspection', id: 'introspection', local: 'introspection-service', requires: [type('warning.v1')] },
  { service: 'containerd.services.leases.v1.Leases', id: 'leases', requires: [type('lease.v1')] },
  {
    service: 'containerd.services.mounts.v1.Mounts',
    id: 'mounts',
    requires: [type('mount-manager.v1')],
    behind: [{ type: type('mount-manager.v1'), id: 'sqlite' }],
  },
  { service: 'containerd.services.namespaces.v1.Namespaces', id: 'namespaces', local: 'namespaces-service', requires: [events, metadata] },
  {
    service: 'containerd.services.sandbox.v1.Controller',
    id: 'sandbox-controllers',
    requires: [type('sandbox.controller.v1'), events],
    behind: [{ type: type('sandbox.controller.v1'), id: 'shim', requires: [type('shim.v1'), events] }],
  },
  {
    service: 'containerd.services.sandbox.v1.Store',
    id: 'sandboxes',
    requires: [type('sandbox.store.v1'), events],
    behind: [{ type: type('sandbox.store.v1'), id: 'local', requires: [metadata] }],
  },
  { service: 'containerd.services.snapshots.v1.Snapshots', id: 'snapshots', local: 'snapshots-service', requires: [metadata] },
  {
    service: 'containerd.services.streaming.v1.Streaming',
    id: 'streaming',
    requires: [type('streaming.v1')],
    behind: [{ type: type('streaming.v1'), id: 'manager', requires: [metadata] }],
  },
  {
    service: 'containerd.services.tasks.v1.Tasks',
    id: 'tasks',
    local: 'tasks-service',
    requires: [type('runtime.v2'), metadata],
    behind: [
      { type: type('shim.v1'), id: 'manager', requires: [events, metadata] },
      { type: type('runtime.v2'), id: 'task', requires: [type('shim.v1')], platform: true },
    ],
  },
  {
    service: 'containerd.services.transfer.v1.Transfer',
    id: 'transfer',
    requires: [type('transfer.v1'), type('streaming.v1')],
    behind: [{ type: type('transfer.v1'), id: 'local', requires: [type('lease.v1'), metadata, type('differ.v1')] }],
  },
  { service: 'containerd.services.version.v1.Version', id: 'version' },
];

/** By the services that are served: what stands behind each, its `service.v1` and its `grpc.v1`. */
export function servicePlugins(typeNames: readonly string[]): readonly Plugin[] {
  return knownServices.filter(({ service }) => typeNames.includes(service)).flatMap(pluginsOf);
}

function pluginsOf({ id, local, requires = [], behind = [] }: KnownService): readonly Plugin[] {
  const face = type('grpc.v1');
  if (local === undefined) return [...behind, { type: face, id, requires }];
  return [...behind, { type: type('service.v1'), id: local, requires }, { type: face, id, requires: [type('service.v1')] }];
}
