import { StrakeError } from '../base/index.ts';
import { isDigest } from './digest.ts';
import type { Descriptor, ImageConfig, Index, Manifest } from './image-spec.ts';
import { isIndexType, isManifestType } from './image-spec.ts';
import { formatJson, parseJson } from './json.ts';

/** A document has at most so many layers or manifests: far beyond what overlayfs stacks (500) and registries hold. */
const maxEntries = 4096;

export type ImageDocument = { readonly kind: 'manifest'; readonly manifest: Manifest } | { readonly kind: 'index'; readonly index: Index };

/**
 * Parses a manifest or an index of OCI or Docker schema 2. `mediaType` is what the registry or descriptor says it is, if anything.
 * Throws InvalidArgument; a document that is both (CVE-2021-41190), or not what it was said to be, is refused.
 */
export function parseImageDocument(bytes: Uint8Array, mediaType: string | undefined, what: string): ImageDocument {
  const document = parseObject(bytes, what);
  if (document['schemaVersion'] !== 2) throw invalid(what, `schema version ${formatJson(document['schemaVersion'])} is not supported`);
  const own = document['mediaType'];
  if (own !== undefined && typeof own !== 'string') throw invalid(what, 'mediaType is not a text');
  const isIndex = 'manifests' in document;
  const isManifest = 'layers' in document || 'config' in document || 'fsLayers' in document;
  if (isIndex && isManifest) throw invalid(what, 'it is both a manifest and an index');
  if (!isIndex && !isManifest) throw invalid(what, 'it is neither a manifest nor an index');
  for (const said of [own, mediaType])
    if (said !== undefined && (isIndex ? isManifestType(said) : isIndexType(said))) throw invalid(what, `its content is not of media type ${said}`);
  if (own !== undefined && mediaType !== undefined && isImageType(mediaType) && own !== mediaType)
    throw invalid(what, `it names media type ${own}, but was given as ${mediaType}`);
  if (isIndex) {
    checkDescriptors(document['manifests'], `${what}: manifests`);
    return { kind: 'index', index: document as unknown as Index };
  }
  checkDescriptor(document['config'], `${what}: config`);
  checkDescriptors(document['layers'], `${what}: layers`);
  return { kind: 'manifest', manifest: document as unknown as Manifest };
}

/** Parses an image configuration as far as the image layers rely on it: platform and diff ids. Process settings are checked by who uses them. */
export function parseImageConfig(bytes: Uint8Array, what: string): ImageConfig {
  const config = parseObject(bytes, what);
  const rootfs = config['rootfs'];
  if (!isObject(rootfs) || rootfs['type'] !== 'layers' || !Array.isArray(rootfs['diff_ids']) || !rootfs['diff_ids'].every(isDigest))
    throw invalid(what, 'rootfs is not a list of layers with diff ids');
  for (const name of ['architecture', 'os']) if (config[name] !== undefined && typeof config[name] !== 'string') throw invalid(what, `${name} is not a text`);
  if (config['config'] !== undefined && config['config'] !== null) checkProcessConfig(config['config'], what);
  const history = config['history'];
  if (history !== undefined && history !== null && !(Array.isArray(history) && history.every(isObject)))
    throw invalid(what, 'history is not a list of objects');
  return { ...config, architecture: config['architecture'] ?? '', os: config['os'] ?? '' } as unknown as ImageConfig;
}

function checkProcessConfig(value: unknown, what: string): void {
  if (!isObject(value)) throw invalid(what, 'config is not an object');
  for (const name of ['User', 'WorkingDir', 'StopSignal'])
    if (value[name] !== undefined && typeof value[name] !== 'string') throw invalid(what, `config.${name} is not a text`);
  for (const name of ['Env', 'Entrypoint', 'Cmd', 'OnBuild', 'Shell'])
    if (!absent(value[name]) && !isTextList(value[name])) throw invalid(what, `config.${name} is not a list of texts`);
  for (const name of ['ExposedPorts', 'Volumes', 'Labels'])
    if (!absent(value[name]) && !isObject(value[name])) throw invalid(what, `config.${name} is not an object`);
  if (isObject(value['Labels']) && !isTextList(Object.values(value['Labels']))) throw invalid(what, 'config.Labels has a value that is not a text');
}

function checkDescriptors(value: unknown, what: string): void {
  if (!Array.isArray(value)) throw invalid(what, 'not a list');
  if (value.length > maxEntries) throw invalid(what, `${value.length} entries, at most ${maxEntries} are allowed`);
  for (const [index, entry] of value.entries()) checkDescriptor(entry, `${what}[${index}]`);
}

function checkDescriptor(value: unknown, what: string): asserts value is Descriptor {
  if (!isObject(value)) throw invalid(what, 'not a descriptor');
  if (typeof value['mediaType'] !== 'string') throw invalid(what, 'mediaType is not a text');
  if (!isDigest(value['digest'])) throw invalid(what, `digest ${formatJson(value['digest'])?.slice(0, 160)} is not one`);
  const size = value['size'];
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) throw invalid(what, 'size is not a number of bytes');
  const platform = value['platform'];
  if (!absent(platform) && !(isObject(platform) && typeof platform['architecture'] === 'string' && typeof platform['os'] === 'string'))
    throw invalid(what, 'platform has no os and architecture');
  if (isObject(platform) && platform['variant'] !== undefined && typeof platform['variant'] !== 'string') throw invalid(what, 'platform.variant is not a text');
}

function parseObject(bytes: Uint8Array, what: string): Record<string, unknown> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new StrakeError('InvalidArgument', `${what} is not UTF-8`, { cause, fields: { layer: 'oci' } });
  }
  const value = parseJson(text, what);
  if (!isObject(value)) throw invalid(what, 'not a JSON object');
  return value;
}

const isImageType = (mediaType: string) => isIndexType(mediaType) || isManifestType(mediaType);
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const isTextList = (value: unknown) => Array.isArray(value) && value.every((entry) => typeof entry === 'string');
const absent = (value: unknown) => value === undefined || value === null;

function invalid(what: string, problem: string): StrakeError {
  return new StrakeError('InvalidArgument', `${what}: ${problem}`, { fields: { layer: 'oci' } });
}
