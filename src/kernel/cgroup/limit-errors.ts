import { StrakeError } from '../../base/index.ts';

/** runc's words for a limit whose controller the machine does not have. */
export function cannotSetLimit(controller: string): StrakeError {
  return new StrakeError('FailedPrecondition', `cannot set ${controller} limit: container could not join or create cgroup`, {
    fields: { layer: 'kernel', remedy: `the ${controller} cgroup controller is not mounted, or not handed down: see /proc/cgroups and cgroup.controllers` },
  });
}

/** A limit that contradicts another one, or what the cgroup version can do. */
export function invalidLimit(message: string): StrakeError {
  return new StrakeError('InvalidArgument', message, { fields: { layer: 'kernel' } });
}

/** One line of rdma.max. */
export function rdmaLine(device: string, handles: number | undefined, objects: number | undefined): string {
  const parts = [controlName(device)];
  if (handles !== undefined) parts.push(`hca_handle=${handles}`);
  if (objects !== undefined) parts.push(`hca_object=${objects}`);
  return parts.join(' ');
}

/** A name from the configuration that becomes part of a control file's name or line. */
export function controlName(name: string): string {
  if (!/^[\w.-]+$/.test(name)) throw invalidLimit(`invalid name in resources: ${JSON.stringify(name)}`);
  return name;
}
