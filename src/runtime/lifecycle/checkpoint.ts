import { readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Op } from '../../kernel/index.ts';
import { parseRuntimeSpec, type RuntimeSpec } from '../../oci/index.ts';
import { acknowledgement, criuRequest } from '../checkpoint/criu-request.ts';
import { bindMounts, externalNamespaceArguments } from '../checkpoint/external.ts';
import type { StoredContainer } from '../state/store.ts';
import type { RuntimeContext } from './context.ts';
import {
  type CriuRequest,
  cgroupMode,
  configFileOf,
  criuDirectories,
  descriptorsFile,
  findCriu,
  firstFile,
  refuse,
  resolverBelow,
  withCriuLog,
} from './criu.ts';
import { deleteContainer } from './delete.ts';
import { loadMade } from './load-made.ts';
import { containerStatus } from './status.ts';

const logFile = 'dump.log';

export interface CheckpointRequest extends CriuRequest {
  /** relative to imagePath */
  readonly parentPath?: string | undefined;
  readonly preDump: boolean;
  readonly leaveRunning: boolean;
  readonly tcpSkipInFlight: boolean;
  readonly linkRemap: boolean;
  readonly pageServer?: { readonly address: string; readonly port: number } | undefined;
  /** gets a byte when lazy pages can be had */
  readonly statusFd?: number | undefined;
}

/** What criu is told of a container. */
export interface DumpedContainer {
  readonly pid: number;
  readonly rootfs: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: RuntimeSpec;
  /** a cgroup by which its processes can be frozen; else criu stops them by ptrace, one by one */
  readonly freezer: string | undefined;
  /** of criu, which runs programs of the network; the caller's own when absent */
  readonly environment?: readonly string[];
}

/** Saves a running container's processes, and removes it unless they go on. */
export async function checkpointContainer(context: RuntimeContext, request: CheckpointRequest): Promise<void> {
  const { store, launcher } = context;
  const container = await loadMade(store, request.id);
  const status = containerStatus(store, container);
  if (status === 'created' || status === 'stopped' || container.init === undefined) throw refuse(`Container cannot be checkpointed in ${status} state`);
  const { annotations, rootfs } = container;
  const spec = parseRuntimeSpec(store.config(request.id));
  const operation = dumpOperation({ pid: container.init.pid, rootfs, annotations, spec, freezer: freezerOf(container) }, request);
  withCriuLog(context, path.join(request.workPath ?? request.imagePath, logFile), () => launcher.run([operation]));
  if (!request.leaveRunning && !request.preDump) deleteContainer(context, request.id, true);
}

/** Makes the directories of an image, and the program that has criu write it. */
export function dumpOperation({ pid, rootfs, annotations, spec, freezer, environment }: DumpedContainer, request: Omit<CheckpointRequest, 'id'>): Op {
  const criu = findCriu();
  checkParent(request);
  const { files, ...directories } = criuDirectories(request);
  const root = `/proc/${pid}/root`;
  const dump = criuRequest(request.preDump ? 'preDump' : 'dump', {
    ...directories,
    pid,
    logFile,
    root: rootfs,
    configFile: configFileOf(annotations),
    manageCgroupsMode: cgroupMode(request.manageCgroupsMode),
    parentImage: request.parentPath,
    freezeCgroup: freezer,
    pageServer: request.pageServer,
    external: externalNamespaceArguments(spec.linux?.namespaces ?? [], (file) => statSync(file).ino),
    externalMounts: request.preDump ? [] : externalMounts(spec, pid, resolverBelow(root)),
    flags: {
      ...request.flags,
      leaveRunning: request.leaveRunning,
      tcpSkipInFlight: request.tcpSkipInFlight,
      linkRemap: request.linkRemap,
      trackMem: request.parentPath !== undefined,
    },
  });
  if (!request.preDump) writeFileSync(path.join(request.imagePath, descriptorsFile), JSON.stringify(descriptorsOf(pid)), { mode: 0o600 });
  return { op: 'criu', side: 'host', path: criu, request: dump, acknowledgement, files, firstFile, statusFd: request.statusFd, env: environment };
}

function checkParent({ imagePath, parentPath }: Pick<CheckpointRequest, 'imagePath' | 'parentPath'>): void {
  if (parentPath === undefined) return;
  if (path.isAbsolute(parentPath)) throw refuse('--parent-path must be relative');
  const parent = path.join(imagePath, parentPath);
  if (!statSync(parent, { throwIfNoEntry: false })?.isDirectory()) throw refuse(`invalid --parent-path: ${parent} is not a directory`);
}

function freezerOf({ cgroup }: StoredContainer): string | undefined {
  return cgroup.v1.find(({ name }) => name === 'freezer')?.dir ?? cgroup.v2;
}

/** Binds, and cgroup directories that are binds of the host's: criu finds them again by their mount points. */
function externalMounts(spec: RuntimeSpec, pid: number, resolve: (name: string) => string): readonly (readonly [string, string])[] {
  const targets = [...bindMounts(spec, resolve).map(([target]) => target), ...cgroupMountPoints(readFileSync(`/proc/${pid}/mountinfo`, 'utf8'))];
  return [...new Set(targets)].map((target) => [target, target]);
}

/**
 * Mount points of cgroups where v1 has some (proc_pid_mountinfo(5): field 5; the type follows the separator): each is a bind of the container's directory. The
 * one of a pure v2 machine is criu's to mount.
 */
export function cgroupMountPoints(mountinfo: string): readonly string[] {
  const mounts = mountinfo.split('\n').flatMap((line) => {
    const [mount = '', filesystem = ''] = line.split(' - ');
    const point = mount.split(' ')[4];
    const type = /^cgroup2? /.exec(filesystem)?.[0].trim();
    return type === undefined || point === undefined ? [] : [{ type, point }];
  });
  return mounts.some(({ type }) => type === 'cgroup') ? mounts.map(({ point }) => point) : [];
}

/** `pipe:[INODE]`, `/dev/null` …: what a restored container's standard descriptors are to be. */
function descriptorsOf(pid: number): readonly string[] {
  return [0, 1, 2].map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return '';
    }
  });
}
