import type { Mount, Namespace, RuntimeSpec } from '../../oci/index.ts';

/** Namespaces that criu leaves out of a checkpoint when they came from a path, and finds again under these names. */
const externalNamespaces: Readonly<Record<string, readonly [criuName: string, key: string]>> = {
  network: ['net', 'extRootNetNS'],
  pid: ['pid', 'extRootPidNS'],
};

/** criu's names of the others (join_namespace). */
const criuNames: Readonly<Record<string, string>> = { ipc: 'ipc', uts: 'uts', mount: 'mnt', user: 'user', time: 'time' };

export function isBind({ type, options }: Mount): boolean {
  return type === 'bind' || (options?.some((option) => option === 'bind' || option === 'rbind') ?? false);
}

/** `TYPE[INODE]:KEY` for each namespace from a path that criu shall not save. */
export function externalNamespaceArguments(namespaces: readonly Namespace[], inodeOf: (file: string) => number): readonly string[] {
  return namespaces.flatMap(({ type, path }) => {
    const external = externalNamespaces[type];
    return path && external ? [`${external[0]}[${inodeOf(path)}]:${external[1]}`] : [];
  });
}

/** What a restored container takes from outside: namespaces by a descriptor (key and file), or joined by their file. */
export function restoredNamespaces(namespaces: readonly Namespace[]): {
  readonly byDescriptor: readonly (readonly [key: string, file: string])[];
  readonly joined: readonly (readonly [type: string, file: string])[];
} {
  const paths = namespaces.filter((namespace) => namespace.path);
  return {
    byDescriptor: paths.flatMap(({ type, path = '' }) => (externalNamespaces[type] ? [[externalNamespaces[type][1], path] as const] : [])),
    joined: paths.flatMap(({ type, path = '' }) => (criuNames[type] ? [[criuNames[type], path] as const] : [])),
  };
}

/** The configuration's binds, their destinations as `resolve` has them, in order. */
export function bindMounts({ mounts }: RuntimeSpec, resolve: (destination: string) => string): readonly (readonly [target: string, source: string])[] {
  return (mounts ?? []).filter(isBind).map(({ destination, source }) => [resolve(destination), source ?? ''] as const);
}

/** Whether criu makes the mount point itself, with all that was in the tmpfs around it. */
export function isOnTmpfs(destination: string, mounts: readonly Mount[]): boolean {
  return mounts.some(
    (mount) => mount.type === 'tmpfs' && mount.destination !== destination && destination.startsWith(`${mount.destination.replace(/\/$/, '')}/`),
  );
}
