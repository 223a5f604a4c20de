import { StrakeError } from '../../base/index.ts';

export type JsonObject = { readonly [name: string]: unknown };

export interface CniPlugin {
  /** the name of its program */
  readonly type: string;
  /** those that it wants to be told of */
  readonly capabilities: readonly string[];
  /** as it stands in the configuration */
  readonly config: JsonObject;
}

/** A network of CNI: its SPEC.md, section 1. */
export interface CniNetwork {
  readonly name: string;
  /** in which its plugins are spoken to */
  readonly cniVersion: string;
  readonly disableCheck: boolean;
  readonly disableGc: boolean;
  readonly plugins: readonly CniPlugin[];
}

/** The versions that we speak, oldest first. */
const versions = ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'] as const;
const latestVersion = '1.1.0';
/** SPEC.md, "Configuration format" and "Parameters": the same form as for container ids */
const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
const maxPlugins = 64;

/** Whether a network's version has what came with another one. */
export function speaks(version: string, since: (typeof versions)[number]): boolean {
  const all: readonly string[] = versions;
  return all.indexOf(version) >= all.indexOf(since);
}

export function isCniName(text: string): boolean {
  return namePattern.test(text);
}

/** What a file holds: a list of plugins (`.conflist`), or one plugin. InvalidArgument with the file's name. */
export function parseNetwork(text: string, file: string): CniNetwork {
  const refuse = (why: string, cause?: unknown) =>
    new StrakeError('InvalidArgument', `network configuration ${file}: ${why}`, { cause, fields: { layer: 'network', remedy: `repair or remove ${file}` } });
  const config = parseObject(text, refuse);
  const list = file.endsWith('.conflist') ? config['plugins'] : [config];
  if (!Array.isArray(list) || list.length === 0) throw refuse('it has no plugins');
  if (list.length > maxPlugins) throw refuse(`it has ${list.length} plugins, at most ${maxPlugins} are possible`);
  const { name } = config;
  if (typeof name !== 'string' || !isCniName(name)) throw refuse(`invalid name ${JSON.stringify(name)}`);
  return {
    name,
    cniVersion: chooseVersion(config, refuse),
    disableCheck: parseFlag(config['disableCheck'], 'disableCheck', refuse),
    disableGc: parseFlag(config['disableGC'], 'disableGC', refuse),
    plugins: list.map((plugin: unknown) => parsePlugin(plugin, refuse)),
  };
}

type Refuse = (why: string, cause?: unknown) => StrakeError;

/** The latest that both the list and we speak. */
function chooseVersion(config: JsonObject, refuse: Refuse): string {
  const { cniVersion = '0.1.0', cniVersions = [] } = config;
  if (!Array.isArray(cniVersions)) throw refuse('cniVersions is no list');
  const offered = [cniVersion, ...cniVersions];
  const chosen = versions.findLast((version) => offered.includes(version));
  if (chosen === undefined) throw refuse(`its version ${JSON.stringify(cniVersion)} is not known; the latest that is, is ${latestVersion}`);
  return chosen;
}

function parsePlugin(plugin: unknown, refuse: Refuse): CniPlugin {
  if (!isObject(plugin)) throw refuse('a plugin is no object');
  const { type, capabilities = {} } = plugin;
  if (typeof type !== 'string' || type === '' || type.includes('/') || type.includes('\0') || type === '.' || type === '..')
    throw refuse(`invalid plugin type ${JSON.stringify(type)}`);
  if (!isObject(capabilities)) throw refuse(`capabilities of plugin ${type} are no object`);
  const wanted = Object.entries(capabilities).filter(([, isWanted]) => isWanted === true);
  return { type, capabilities: wanted.map(([name]) => name), config: plugin };
}

/** True, or "true": CNI's library takes both. */
function parseFlag(value: unknown, name: string, refuse: Refuse): boolean {
  if (value === undefined || value === false || value === 'false') return false;
  if (value === true || value === 'true') return true;
  throw refuse(`invalid ${name} ${JSON.stringify(value)}`);
}

function parseObject(text: string, refuse: Refuse): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refuse('it is no JSON', error);
  }
  if (!isObject(value)) throw refuse('it is no object');
  return value;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
