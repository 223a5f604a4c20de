/** Image documents say what they refer to in their content; the collector reads it once, and writes it down as labels, as containerd's clients do. */
import { isCode } from '../../base/index.ts';
import { chainIds, type Descriptor, parseImageConfig, parseImageDocument } from '../../oci/index.ts';
import type { ContentStore } from '../content/content.ts';
import { documentLimitBytes } from '../images/resolve-image.ts';
import { labelsText, type MetadataDatabase, readableLabelsOf } from '../metadata/index.ts';
import { gcLabels, type Labels } from './reference-labels.ts';

interface Document {
  readonly digest: string;
  readonly kind: 'document' | 'config';
  readonly mediaType?: string;
}

export interface DocumentLinksOptions {
  readonly db: MetadataDatabase;
  readonly namespace: string;
  /** Of the namespace. */
  readonly content: ContentStore;
  readonly snapshotter: string;
}

/** Labels of the manifests, indexes and configurations of one namespace. */
export class DocumentLinks {
  readonly #db: MetadataDatabase;
  readonly #namespace: string;
  readonly #content: ContentStore;
  readonly #snapshotLabel: string;

  constructor({ db, namespace, content, snapshotter }: DocumentLinksOptions) {
    this.#db = db;
    this.#namespace = namespace;
    this.#content = content;
    this.#snapshotLabel = `${gcLabels.snapshotRef}${snapshotter}`;
  }

  /** Documents below a target that are here and have no labels yet: without them, what they refer to would look like garbage. */
  unlinked(target: Descriptor): Document[] {
    const missing: Document[] = [];
    const seen = new Set<string>();
    const left: Document[] = [{ digest: target.digest, kind: 'document', mediaType: target.mediaType }];
    for (let document = left.pop(); document; document = left.pop()) {
      if (seen.has(document.digest)) continue;
      seen.add(document.digest);
      const row = this.#db.get('select labels from blobs where namespace = ? and digest = ?', this.#namespace, document.digest);
      if (row === undefined) continue;
      const labels = readableLabelsOf(row);
      if (this.#isLinked(document, labels)) left.push(...inner(labels));
      else missing.push(document);
    }
    return missing;
  }

  /** Labels what is below a target. A document that is damaged gets none, and is told to `onDamage`; answers those that have none all the same. */
  async link(target: Descriptor, onDamage: (error: unknown) => void = () => undefined): Promise<readonly string[]> {
    const failed = new Set<string>();
    for (;;) {
      const missing = this.unlinked(target).filter(({ digest }) => !failed.has(digest));
      if (missing.length === 0) return [...failed];
      for (const document of missing) {
        // An empty list refers to nothing: there is nothing to write down either.
        failed.add(document.digest);
        const labels = await this.#read(document, onDamage);
        if (labels !== undefined && this.#add(document.digest, labels)) failed.delete(document.digest);
      }
    }
  }

  #isLinked({ kind }: Document, labels: Labels): boolean {
    if (kind === 'config') return Object.keys(labels).some((label) => label.startsWith(this.#snapshotLabel));
    return Object.keys(labels).some((label) => label.startsWith(gcLabels.contentRef));
  }

  async #read({ digest, kind, mediaType }: Document, onDamage: (error: unknown) => void): Promise<Labels | undefined> {
    try {
      const bytes = await this.#content.readAll(digest, documentLimitBytes);
      if (kind === 'config') return this.#configLabels(bytes, digest);
      const document = parseImageDocument(bytes, mediaType, digest);
      if (document.kind === 'index') return numbered('m', document.index.manifests);
      const { config, layers } = document.manifest;
      return { [`${gcLabels.contentRef}.config`]: config.digest, ...numbered('l', layers) };
    } catch (error) {
      if (isCode(error, 'NotFound')) return undefined;
      if (!(isCode(error, 'DataLoss') || isCode(error, 'InvalidArgument') || isCode(error, 'OutOfRange'))) throw error;
      onDamage(error);
      return undefined;
    }
  }

  /** What is no image configuration, as that of an artifact, refers to nothing. */
  #configLabels(bytes: Uint8Array, digest: string): Labels {
    let top: string | undefined;
    try {
      top = chainIds(parseImageConfig(bytes, digest).rootfs.diff_ids).at(-1);
    } catch (error) {
      if (!isCode(error, 'InvalidArgument')) throw error;
    }
    return top === undefined ? {} : { [this.#snapshotLabel]: top };
  }

  /** False when there is nothing to add, or nothing to add it to any more. */
  #add(digest: string, labels: Labels): boolean {
    if (Object.keys(labels).length === 0) return false;
    return this.#db.transaction(() => {
      const row = this.#db.get('select labels from blobs where namespace = ? and digest = ?', this.#namespace, digest);
      if (row === undefined) return false;
      this.#db.run(
        'update blobs set labels = ? where namespace = ? and digest = ?',
        labelsText({ ...readableLabelsOf(row), ...labels }),
        this.#namespace,
        digest,
      );
      return true;
    });
  }
}

function numbered(name: string, descriptors: readonly Descriptor[]): Labels {
  return Object.fromEntries(descriptors.map(({ digest }, index) => [`${gcLabels.contentRef}.${name}.${index}`, digest]));
}

/** containerd's names of references tell what they lead to: `m.N` a manifest, `config` a configuration. */
function inner(labels: Labels): Document[] {
  const documents: Document[] = [];
  for (const [label, digest] of Object.entries(labels)) {
    const name = label.startsWith(`${gcLabels.contentRef}.`) ? label.slice(gcLabels.contentRef.length + 1) : '';
    if (name === 'config') documents.push({ digest, kind: 'config' });
    else if (/^m\.\d+$/.test(name)) documents.push({ digest, kind: 'document' });
  }
  return documents;
}
