/** Stores that add what they make to a lease, as containerd does for a request that names one (core/metadata). */
import { isCode, StrakeError } from '../../base/index.ts';
import type { ContentStore, ContentWriter } from '../content/content.ts';
import { gcLabels } from '../garbage/reference-labels.ts';
import type { ImageStore } from '../images/images.ts';
import type { Snapshotter } from '../snapshots/snapshots.ts';
import type { LeaseResource, LeaseStore } from './leases.ts';

/** One lease of a store. */
class HeldLease {
  readonly #store: LeaseStore;
  readonly #id: string;

  constructor(store: LeaseStore, id: string) {
    this.#store = store;
    this.#id = id;
  }

  async add(type: LeaseResource['type'], id: string): Promise<void> {
    try {
      await this.#store.addResource(this.#id, { type, id });
    } catch (cause) {
      if (!isCode(cause, 'NotFound')) throw cause;
      throw new StrakeError('NotFound', 'lease does not exist: not found', { cause, fields: { layer: 'core', lease: this.#id } });
    }
  }

  async remove(type: LeaseResource['type'], id: string): Promise<void> {
    await this.#store.deleteResource(this.#id, { type, id });
  }
}

export interface LeasableStores {
  readonly content: ContentStore;
  readonly images: ImageStore;
  readonly leaseStore: LeaseStore;
  snapshotter(name: string): Snapshotter;
}

export function leaseStores({ content, images, leaseStore, snapshotter }: LeasableStores, id: string): Omit<LeasableStores, 'leaseStore'> {
  const lease = new HeldLease(leaseStore, id);
  return {
    content: overriding(content, {
      writer: async (options) => {
        if (options.expectedDigest !== undefined) await lease.add('content', options.expectedDigest);
        await lease.add('ingests', options.ref);
        return leaseWriter(await content.writer(options), lease);
      },
    }),
    // As containerd: a name is held only if it would end by itself.
    images: overriding(images, {
      create: async (image) => {
        if (Object.hasOwn(image.labels ?? {}, gcLabels.expire)) await lease.add('images', image.name);
        return await images.create(image);
      },
      put: async (image) => {
        if (Object.hasOwn(image.labels ?? {}, gcLabels.expire)) await lease.add('images', image.name);
        return await images.put(image);
      },
    }),
    snapshotter: (name) => leaseSnapshotter(snapshotter(name), lease),
  };
}

function leaseWriter(writer: ContentWriter, lease: HeldLease): ContentWriter {
  return overriding(writer, {
    commit: async (options) => {
      // A blob that nobody holds goes with the next collection, which does not wait for the commit's answer.
      await lease.add('content', options.digest ?? writer.digest());
      const info = await writer.commit(options);
      await lease.remove('ingests', writer.ref);
      return info;
    },
  });
}

function leaseSnapshotter(snapshots: Snapshotter, lease: HeldLease): Snapshotter {
  const type: LeaseResource['type'] = `snapshots/${snapshots.name}`;
  return overriding(snapshots, {
    prepare: async (key, parent, labels) => {
      await lease.add(type, key);
      return await snapshots.prepare(key, parent, labels);
    },
    view: async (key, parent, labels) => {
      await lease.add(type, key);
      return await snapshots.view(key, parent, labels);
    },
    commit: async (name, key, options) => {
      await lease.add(type, name);
      await snapshots.commit(name, key, options);
      await lease.remove(type, key);
    },
  });
}

/** The object with some of its methods replaced; the others are called on the object itself, which has state of its own. */
function overriding<T extends object>(target: T, methods: Partial<T>): T {
  return new Proxy(target, {
    get(_target, name) {
      if (Object.hasOwn(methods, name)) return methods[name as keyof T];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
