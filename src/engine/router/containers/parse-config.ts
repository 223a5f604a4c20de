import type { ContainerConfig } from '../../../api/docker/index.ts';
import { StrakeError } from '../../../base/index.ts';
import {
  asObject,
  type JsonObject,
  optionalBoolean,
  optionalInteger,
  optionalObject,
  optionalString,
  optionalStringMap,
  optionalStrings,
} from '../../server/index.ts';

/** `Config` of a create request; what is absent gets Go's zero value. */
export function parseConfig(body: JsonObject): ContainerConfig {
  const text = (name: string) => optionalString(body, name) ?? '';
  const flag = (name: string) => optionalBoolean(body, name) ?? false;
  const exposed = objectMap(body, 'ExposedPorts');
  const stopTimeout = optionalInteger(body, 'StopTimeout');
  const healthcheck = parseHealthcheck(body);
  return {
    Hostname: text('Hostname'),
    Domainname: text('Domainname'),
    User: text('User'),
    AttachStdin: flag('AttachStdin'),
    AttachStdout: flag('AttachStdout'),
    AttachStderr: flag('AttachStderr'),
    ...(exposed === null ? {} : { ExposedPorts: exposed }),
    Tty: flag('Tty'),
    OpenStdin: flag('OpenStdin'),
    StdinOnce: flag('StdinOnce'),
    Env: optionalStrings(body, 'Env') ?? [],
    Cmd: command(body, 'Cmd'),
    ...(healthcheck === undefined ? {} : { Healthcheck: healthcheck }),
    Image: text('Image'),
    Volumes: objectMap(body, 'Volumes'),
    WorkingDir: text('WorkingDir'),
    Entrypoint: command(body, 'Entrypoint'),
    ...(flag('NetworkDisabled') ? { NetworkDisabled: true } : {}),
    OnBuild: null,
    Labels: optionalStringMap(body, 'Labels') ?? {},
    ...(text('StopSignal') === '' ? {} : { StopSignal: text('StopSignal') }),
    ...(stopTimeout === undefined ? {} : { StopTimeout: stopTimeout }),
    ...(body['Shell'] ? { Shell: optionalStrings(body, 'Shell') ?? [] } : {}),
  };
}

/** A list, or a single string (older clients). */
function command(body: JsonObject, name: string): readonly string[] | null {
  const value = body[name];
  return typeof value === 'string' ? [value] : (optionalStrings(body, name) ?? null);
}

function objectMap(body: JsonObject, name: string): Readonly<Record<string, object>> | null {
  const map = optionalObject(body, name);
  if (map === undefined || Object.keys(map).length === 0) return null;
  return Object.fromEntries(Object.keys(map).map((key) => [key, {}]));
}

/** Nothing runs health checks yet: one that was asked for would be forgotten, so it is only kept for inspect when it is off. */
function parseHealthcheck(body: JsonObject): ContainerConfig['Healthcheck'] {
  const given = optionalObject(body, 'Healthcheck');
  if (given === undefined) return undefined;
  const test = optionalStrings(given, 'Test') ?? [];
  if (test.length > 0 && test[0] !== 'NONE') throw new StrakeError('Unimplemented', 'health checks are not supported', { fields: { layer: 'engine' } });
  return { Test: test };
}

/** `EndpointsConfig` of `NetworkingConfig`, by network; the default network under its own name. */
export function parseEndpoints(body: JsonObject): Readonly<Record<string, Readonly<Record<string, unknown>>>> {
  const networking = optionalObject(body, 'NetworkingConfig');
  const endpoints = networking === undefined ? undefined : optionalObject(networking, 'EndpointsConfig');
  return Object.fromEntries(
    Object.entries(endpoints ?? {}).map(([name, value]) => [name === 'default' ? 'bridge' : name, asObject(value, `EndpointsConfig.${name}`)]),
  );
}
