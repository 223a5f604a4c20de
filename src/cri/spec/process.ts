import type { criContainer } from '../../api/cri/index.ts';
import type { ImageProcessConfig } from '../../oci/index.ts';
import { invalid } from '../refusals.ts';

const defaultPath = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Kubernetes's command stands for the image's entrypoint and drops its command; its args stand for the command alone. */
export function commandLine({ command, args }: Pick<criContainer.ContainerConfig, 'command' | 'args'>, image: ImageProcessConfig): readonly string[] {
  const entrypoint = command.length > 0 ? command : (image.Entrypoint ?? []);
  const rest = args.length > 0 || command.length > 0 ? args : (image.Cmd ?? []);
  const line = [...entrypoint, ...rest];
  if (line.length === 0 || (line.length === 1 && line[0] === '')) throw invalid('no command specified');
  return line;
}

/** The image's, then the container's, which replace. */
export function environment(config: Pick<criContainer.ContainerConfig, 'envs' | 'tty'>, image: ImageProcessConfig, hostname: string): readonly string[] {
  const entries = [
    defaultPath,
    ...(config.tty ? ['TERM=xterm'] : []),
    `HOSTNAME=${hostname}`,
    ...(image.Env ?? []),
    ...config.envs.map(({ key, value }) => `${key}=${Buffer.from(value).toString('utf8')}`),
  ];
  const byName = new Map(entries.map((entry) => [entry.split('=', 1)[0] ?? '', entry]));
  for (const entry of byName.values()) if (entry.includes('\0')) throw invalid('invalid environment variable: it has a NUL byte');
  return [...byName.values()];
}

/** A process in the container beside its first: with a terminal it hears of it. */
export function execEnvironment(env: readonly string[], terminal: boolean): readonly string[] {
  return !terminal || env.some((entry) => entry.startsWith('TERM=')) ? env : [...env, 'TERM=xterm'];
}
