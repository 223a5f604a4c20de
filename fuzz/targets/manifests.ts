import fc from 'fast-check';
import { isDigest, isIndexType, isManifestType, mediaTypes, parseImageConfig, parseImageDocument } from '../../src/oci/index.ts';
import { accepted, check } from '../target.ts';

const digest = fc.constantFrom(`sha256:${'a'.repeat(64)}`, `sha512:${'b'.repeat(128)}`, 'sha256:../../x', 'sha256:', `sha256:${'A'.repeat(64)}`, '');
const mediaType = fc.oneof(fc.constantFrom(...Object.values(mediaTypes)), fc.constantFrom('text/plain', ''));
const strange = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom(null, -1, 2 ** 53, 1.5, '__proto__'));
const size = fc.oneof(fc.nat(), fc.constantFrom(-1, 0.5, 2 ** 53, Number.MAX_VALUE));
const descriptor = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record(
      { mediaType, digest, size, platform: fc.record({ os: fc.constant('linux'), architecture: fc.constant('amd64') }) },
      { requiredKeys: ['mediaType', 'digest', 'size'] },
    ),
  },
  { weight: 1, arbitrary: strange },
);
const document = fc
  .tuple(
    fc.record(
      {
        schemaVersion: fc.oneof({ weight: 9, arbitrary: fc.constant(2) }, { weight: 1, arbitrary: strange }),
        mediaType,
        config: descriptor,
        layers: fc.array(descriptor, { maxLength: 3 }),
        manifests: fc.array(descriptor, { maxLength: 3 }),
        fsLayers: strange,
        annotations: fc.dictionary(fc.string({ maxLength: 5 }), fc.string({ maxLength: 5 })),
      },
      { requiredKeys: ['schemaVersion'] },
    ),
    fc.option(fc.tuple(fc.constantFrom('layers', 'manifests', 'config', 'rootfs', 'history'), strange)),
  )
  .map(([object, more]) => JSON.stringify(more === null ? object : { ...object, [more[0]]: more[1] }));
const config = fc
  .record(
    {
      architecture: fc.oneof(fc.constant('amd64'), strange),
      os: fc.oneof(fc.constant('linux'), strange),
      rootfs: fc.oneof(
        { weight: 4, arbitrary: fc.record({ type: fc.constant('layers'), diff_ids: fc.array(digest, { maxLength: 3 }) }) },
        { weight: 1, arbitrary: strange },
      ),
      history: fc.oneof(fc.array(fc.record({ created_by: fc.string() })), strange),
      config: fc.oneof(
        fc.record({ Env: fc.oneof(fc.array(fc.string()), strange), User: strange, Labels: strange, Volumes: strange }, { requiredKeys: [] }),
        strange,
      ),
    },
    { requiredKeys: [] },
  )
  .map((object) => JSON.stringify(object));
const cut = fc.option(fc.nat(), { freq: 8 });
const bytesOf = (text: string, at: number | null) => Buffer.from(at === null ? text : text.slice(0, at % (text.length + 1)));

/** Manifests, indexes and configurations: what is taken is one of them alone, of the type that it says and was given as, and every digest and size in it is one. */
export function manifests(runs: number, seed: number): void {
  const property = fc.property(document, config, fc.option(mediaType), cut, (text, configText, given, at) => {
    const parsed = accepted(() => parseImageDocument(bytesOf(text, at), given ?? undefined, 'M'));
    if (parsed !== undefined) checkDocument(JSON.parse(text) as Record<string, unknown>, parsed, given ?? undefined);
    const parsedConfig = accepted(() => parseImageConfig(bytesOf(configText, at), 'C'));
    if (parsedConfig !== undefined) check(parsedConfig.rootfs.diff_ids.every(isDigest) && typeof parsedConfig.os === 'string', 'a configuration');
  });
  fc.assert(property, { numRuns: runs, seed });
}

function checkDocument(source: Record<string, unknown>, parsed: ReturnType<typeof parseImageDocument>, given: string | undefined): void {
  check(!('manifests' in source && ('layers' in source || 'config' in source || 'fsLayers' in source)), 'a manifest that is an index');
  const types = [source['mediaType'], given].filter((type): type is string => typeof type === 'string');
  const isOther = parsed.kind === 'manifest' ? isIndexType : isManifestType;
  check(!types.some(isOther), `a ${parsed.kind} of type ${types}`);
  const descriptors = parsed.kind === 'manifest' ? [parsed.manifest.config, ...parsed.manifest.layers] : parsed.index.manifests;
  for (const one of descriptors) check(isDigest(one.digest) && Number.isSafeInteger(one.size) && one.size >= 0, `the descriptor ${JSON.stringify(one)}`);
}
