import path from 'node:path';
import type { ContainerConfig } from '../../api/docker/index.ts';
import { StrakeError } from '../../base/index.ts';
import type { ImageProcessConfig } from '../../oci/index.ts';
import { parseSignal } from './signals.ts';

/** The request's configuration over the image's (moby daemon/commit.go: merge), checked. */
export function mergeConfig(given: ContainerConfig, image: ImageProcessConfig): ContainerConfig {
  const inheritsCommand = (given.Entrypoint ?? []).length === 0;
  const noCommand = (given.Cmd ?? []).length === 0;
  const names = new Set(given.Env.map(nameOf));
  const volumes = { ...image.Volumes, ...given.Volumes };
  const ports = { ...image.ExposedPorts, ...given.ExposedPorts };
  const stopSignal = given.StopSignal || image.StopSignal;
  const healthcheck = given.Healthcheck ?? image.Healthcheck;
  const shell = given.Shell ?? image.Shell;
  const entrypoint = given.Entrypoint ?? image.Entrypoint ?? null;
  const merged: ContainerConfig = {
    ...given,
    User: given.User || (image.User ?? ''),
    ...(Object.keys(ports).length === 0 ? {} : { ExposedPorts: ports }),
    Env: [...given.Env, ...(image.Env ?? []).filter((entry) => !names.has(nameOf(entry)))],
    Labels: { ...image.Labels, ...given.Labels },
    Cmd: inheritsCommand && noCommand ? (image.Cmd ?? null) : given.Cmd,
    Entrypoint: entrypoint?.length === 1 && entrypoint[0] === '' ? null : entrypoint,
    WorkingDir: given.WorkingDir || (image.WorkingDir ?? ''),
    Volumes: Object.keys(volumes).length === 0 ? null : volumes,
    ...(stopSignal ? { StopSignal: stopSignal } : {}),
    ...(healthcheck === undefined ? {} : { Healthcheck: healthcheck }),
    ...(shell ? { Shell: shell } : {}),
  };
  check(merged);
  return merged;
}

function check(config: ContainerConfig): void {
  if ((config.Entrypoint ?? []).length === 0 && (config.Cmd ?? []).length === 0) throw invalid('no command specified');
  if (config.WorkingDir !== '' && !path.posix.isAbsolute(config.WorkingDir))
    throw invalid(`the working directory '${config.WorkingDir}' is invalid, it needs to be an absolute path`);
  for (const entry of config.Env) {
    if (entry === '' || entry.startsWith('=')) throw invalid(`invalid environment variable: ${entry}`);
    if (entry.includes('\0')) throw invalid('invalid environment variable: it has a NUL byte');
    if (entry.startsWith('HOME=') && /[\n\r]/.test(entry)) throw invalid('invalid environment variable: HOME has a line break');
  }
  if (config.StopSignal !== undefined) parseSignal(config.StopSignal);
  if (config.Hostname.length > 63 || /[\s/\0]/.test(config.Hostname)) throw invalid(`invalid hostname format: ${config.Hostname}`);
}

function nameOf(entry: string): string {
  return entry.split('=', 1)[0] ?? '';
}

function invalid(text: string): StrakeError {
  return new StrakeError('InvalidArgument', text, { fields: { layer: 'engine' } });
}
