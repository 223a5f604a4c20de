import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type Op, readCgroupLayout } from '../../kernel/index.ts';
import { formatJson, parseJson, type RuntimeSpec } from '../../oci/index.ts';
import { compileRestore, type RestoreProgram } from '../checkpoint/compile-restore.ts';
import { bindMounts, isBind, restoredNamespaces } from '../checkpoint/external.ts';
import { identityOf } from '../state/process-identity.ts';
import type { StoredContainer } from '../state/store.ts';
import { readBundle } from './bundle.ts';
import { type ContainerCgroup, containerCgroup } from './cgroup.ts';
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
import { writePidFile } from './pid-file.ts';
import { prepareVerbs } from './prepare.ts';

const logFile = 'restore.log';

export interface RestoreRequest extends CriuRequest {
  readonly bundle: string;
  readonly detach: boolean;
  readonly pidFile?: string | undefined;
  readonly consoleSocket?: string | undefined;
  readonly lsmProfile?: string | undefined;
  readonly lsmMountContext?: string | undefined;
}

/** Makes a container from what `checkpoint` saved. 0: where it is waited for, its exit status becomes ours by the hand-over. */
export function restoreContainer(context: RuntimeContext, request: RestoreRequest): number {
  const { store, launcher } = context;
  const bundle = readBundle(request.bundle);
  const spec = withAbsoluteSources(bundle.spec, bundle.path);
  store.directory(request.id);
  if (spec.process?.terminal && request.consoleSocket === undefined) throw refuse('restoring a terminal needs --console-socket');
  const cgroup = containerCgroup(spec, {
    id: request.id,
    machine: context.machine(),
    rootless: context.rootless,
    manager: context.cgroupManager,
    warn: context.warn,
  });
  store.claim(request.id, withTimeNamespace(bundle.config));
  const container: StoredContainer = {
    ociVersion: spec.ociVersion,
    id: request.id,
    bundle: bundle.path,
    rootfs: bundle.rootfs,
    created: new Date().toISOString(),
    annotations: spec.annotations ?? {},
    owner: '',
    cgroup: cgroup.directories,
    privatePids: spec.linux?.namespaces?.some((namespace) => namespace.type === 'pid' && !namespace.path) ?? false,
    noNewKeyring: true,
    hooks: spec.hooks,
  };
  const operations = restoreOperations(spec, cgroup, request, {
    rootfs: bundle.rootfs,
    criuRoot: path.join(store.directory(request.id), 'criu-root'),
    consoleSocket: request.consoleSocket,
    detach: request.detach,
    stateDirectory: store.directory(request.id),
  });
  try {
    store.save({ ...container, creator: identityOf(process.ppid) });
    const report = withCriuLog(context, path.join(request.workPath ?? request.imagePath, logFile), () => launcher.run(operations));
    const init = { pid: report.initPid, startTime: Number(report.initStartTime) };
    store.save({ ...container, init });
    if (request.detach) prepareVerbs(store, request.id, spec, { init, cgroupCleanup: cgroup.plan.cleanup, stateDirectory: store.directory(request.id) }, false);
    if (request.pidFile !== undefined) writePidFile(request.pidFile, init.pid);
  } catch (error) {
    if (request.detach) launcher.run(cgroup.plan.cleanup);
    store.remove(request.id);
    throw error;
  }
  if (!request.detach) launcher.handOver();
  return 0;
}

export type RestorePlace = Pick<
  RestoreProgram,
  'rootfs' | 'criuRoot' | 'consoleSocket' | 'detach' | 'stateDirectory' | 'monitor' | 'mountRoot' | 'environment'
>;

/** The program that has criu make the processes of an image again. Sources of binds are absolute. */
export function restoreOperations(
  spec: RuntimeSpec,
  cgroup: Pick<ContainerCgroup, 'plan' | 'directories'>,
  request: Omit<CriuRequest, 'id'> & Pick<RestoreRequest, 'lsmProfile' | 'lsmMountContext'>,
  place: RestorePlace,
): readonly Op[] {
  const criu = findCriu();
  const descriptors = readDescriptors(request.imagePath);
  const { files, ...directories } = criuDirectories(request);
  const namespaces = restoredNamespaces(spec.linux?.namespaces ?? []);
  return compileRestore({
    ...place,
    spec,
    criu,
    request: {
      ...directories,
      logFile,
      configFile: configFileOf(spec.annotations ?? {}),
      manageCgroupsMode: cgroupMode(request.manageCgroupsMode),
      externalMounts: [...bindMounts(spec, resolverBelow(place.rootfs)), ...cgroupMounts(spec, cgroup)],
      inheritedFds: [
        ...descriptors.flatMap((name, fd) => (name.includes('pipe:') ? [[name, fd] as const] : [])),
        ...namespaces.byDescriptor.map(([key], index) => [key, firstFile + files.length + index] as const),
      ],
      joinNamespaces: namespaces.joined,
      cgroupRoots: cgroupRoots(cgroup),
      lsmProfile: request.lsmProfile,
      lsmMountContext: request.lsmMountContext,
      flags: { ...request.flags, evasiveDevices: true, rstSibling: true },
    },
    files: [...files, ...namespaces.byDescriptor.map(([, file]) => file)],
    firstFile,
    cgroup: cgroup.plan,
  });
}

/** criu is not in the bundle's directory, from where sources of binds are relative. */
export function withAbsoluteSources(spec: RuntimeSpec, bundle: string): RuntimeSpec {
  const mounts = (spec.mounts ?? []).map((mount) => (isBind(mount) ? { ...mount, source: path.resolve(bundle, mount.source ?? '') } : mount));
  return { ...spec, mounts };
}

/** criu makes a time namespace for what it restores, so that its clocks go on: a command of `exec` has to join it, or it cannot be restored with the rest. */
function withTimeNamespace(config: string): string {
  const spec = parseJson(config, 'config.json') as RuntimeSpec;
  const namespaces = spec.linux?.namespaces ?? [];
  if (!existsSync('/proc/self/ns/time') || namespaces.some(({ type }) => type === 'time')) return config;
  return formatJson({ ...spec, linux: { ...spec.linux, namespaces: [...namespaces, { type: 'time' }] } });
}

function readDescriptors(imagePath: string): readonly string[] {
  const descriptors = parseJson(readFileSync(path.join(imagePath, descriptorsFile), 'utf8'), descriptorsFile);
  return Array.isArray(descriptors) ? descriptors.map(String) : [];
}

/** The container's new directories, in place of those that were bound at the checkpoint. */
function cgroupMounts({ mounts = [] }: RuntimeSpec, { plan }: Pick<ContainerCgroup, 'plan'>): readonly (readonly [string, string])[] {
  const mount = mounts.find(({ type }) => type === 'cgroup');
  if (mount === undefined || plan.v1.length === 0) return [];
  const directories = [...plan.v1, ...(plan.v2 === undefined ? [] : [{ name: 'unified', dir: plan.v2 }])];
  return directories.map(({ name, dir }) => [path.join(mount.destination, name), dir] as const);
}

/** Under which names criu knows the hierarchies, and where the container is in each: as in /proc/PID/cgroup. */
function cgroupRoots({ directories: { v1, v2 } }: Pick<ContainerCgroup, 'directories'>): readonly (readonly [string, string])[] {
  const roots = v1.flatMap(({ name, controllers, dir, mountpoint }) => {
    const names = controllers.length > 0 ? controllers : [`name=${name}`];
    return names.map((controller) => [controller, dir.slice(mountpoint.length) || '/'] as const);
  });
  const tree = readCgroupLayout().v2?.mountpoint;
  return v2 === undefined || tree === undefined ? roots : [...roots, ['', v2.slice(tree.length) || '/']];
}
