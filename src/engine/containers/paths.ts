import path from 'node:path';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';

/** The host's files of one container, in `<data-root>/containers/<id>/`. */
export function containerPaths({ directory }: Pick<ContainerContext, 'directory'>, { id }: Pick<Container, 'id'>) {
  const own = path.join(directory, id);
  return {
    directory: own,
    hostname: path.join(own, 'hostname'),
    hosts: path.join(own, 'hosts'),
    resolvConf: path.join(own, 'resolv.conf'),
    log: path.join(own, `${id}-json.log`),
  };
}

export function logPath(context: Pick<ContainerContext, 'directory'>, container: Container): string {
  return container.document.hostConfig.LogConfig.Type === 'none' ? '' : containerPaths(context, container).log;
}
