import { invalid } from '../refusals.ts';

/** Where containers are that say no parent: containerd's place, by its namespace. */
const defaultParent = '/k8s.io';

type Driver = 'cgroupfs' | 'systemd';

/** Of a container or pause process below its pod's cgroup. */
export function cgroupPath(parent: string, id: string, driver: Driver): string {
  return `${podCgroup(parent, driver) ?? defaultParent}/${driver === 'systemd' && parent !== '' ? `cri-strake-${id}.scope` : id}`;
}

/**
 * What a pod's containers are below; undefined when it says nothing. `systemd`: the parent is a slice, whose name says where it is
 * (`a-b.slice` is in `a.slice`, systemd.slice(5)), and the containers are scopes in it.
 */
export function podCgroup(parent: string, driver: Driver): string | undefined {
  if (parent === '') return undefined;
  const name = parent.split('/').findLast((part) => part !== '') ?? '';
  if (driver === 'systemd') {
    if (!name.endsWith('.slice')) throw invalid(`cgroup parent ${JSON.stringify(parent)} is no slice, as the cgroup driver systemd has them`);
    return slicePath(name);
  }
  if (name.endsWith('.slice')) throw invalid(`cgroup parent ${JSON.stringify(parent)} is a slice of systemd's, and the cgroup driver is cgroupfs`);
  if (parent.split('/').some((part) => part === '..' || part === '.')) throw invalid(`cgroup parent ${JSON.stringify(parent)} leads elsewhere`);
  return `${parent.startsWith('/') ? '' : '/'}${parent.replace(/\/+$/, '')}`;
}

function slicePath(name: string): string {
  if (name === '-.slice') return '';
  const parts = name.slice(0, -'.slice'.length).split('-');
  if (parts.includes('')) throw invalid(`${JSON.stringify(name)} is no name of a slice`);
  return parts.map((_part, index) => `/${parts.slice(0, index + 1).join('-')}.slice`).join('');
}
