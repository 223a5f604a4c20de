/**
 * Mounts that were made for clients, by namespace and name. Each is a directory of the state directory: `activation.json` and a mount point for each mount, so that they are found
 * again by the next daemon of the same boot. They stay until they are taken back; those that were made under a lease at most as long as that.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import path from 'node:path';
import { errorMessage, type Logger, replaceFile, StrakeError } from '../../base/index.ts';
import { fieldsOf, parseFilters } from '../../core/filters/index.ts';
import type { Launcher } from '../../kernel/index.ts';
import { formatMount, isFormatted, type MadeMount, type PlainMount } from './format-mount.ts';
import { mountOperation, unmountOperation } from './mount-operations.ts';

export interface Activation {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** They end with it. */
  readonly lease?: string;
  readonly active: readonly (MadeMount & { readonly mountedAtMs: number })[];
  /** What is left for the client to mount. */
  readonly system: readonly PlainMount[];
}

export interface ActivationsOptions {
  /** Of mounts alone; below the state directory, so that it goes with the boot as the mounts do. */
  readonly directory: string;
  readonly launcher: Pick<Launcher, 'run'>;
  readonly log: Logger;
  readonly now?: () => Date;
}

type Wanted = Pick<Activation, 'namespace' | 'name' | 'labels' | 'lease'>;

interface Kept {
  readonly number: number;
  readonly activation: Activation;
}

const file = 'activation.json';
/** containerd counts mounts in a byte. */
const maxMounts = 255;
const maxNameBytes = 4096;

export class Activations {
  readonly #options: ActivationsOptions;
  readonly #kept = new Map<string, Kept>();
  /** Names on their way. */
  readonly #busy = new Set<string>();
  #last = 0;

  constructor(options: ActivationsOptions) {
    this.#options = options;
    mkdirSync(options.directory, { recursive: true, mode: 0o700 });
    for (const number of readdirSync(options.directory).map(Number)) {
      if (!Number.isSafeInteger(number)) continue;
      this.#last = Math.max(this.#last, number);
      const activation = this.#read(number);
      if (activation !== undefined) this.#kept.set(keyOf(activation), { number, activation });
    }
  }

  /** Unimplemented where the client can mount all of them itself, AlreadyExists for a name that is taken. */
  async activate(wanted: Wanted, mounts: readonly PlainMount[], temporary: boolean): Promise<Activation> {
    if (wanted.name === '' || Buffer.byteLength(wanted.name) > maxNameBytes) throw invalid('a mount needs a name of at most 4096 bytes');
    if (mounts.length > maxMounts) throw invalid(`${mounts.length} mounts are more than ${maxMounts}`);
    const preparing = mounts.find(({ type }) => /^mk(dir|fs)\//.test(type));
    if (preparing !== undefined)
      throw new StrakeError('Unimplemented', `mounts of the type ${preparing.type} are not made here`, { fields: { layer: 'containerd' } });
    const made = temporary ? mounts.length : mounts.findLastIndex(isFormatted);
    if (made === -1 || mounts.length === 0)
      throw new StrakeError('Unimplemented', 'these mounts need nothing to be done before: mount them as they are', { fields: { layer: 'containerd' } });
    const key = keyOf(wanted);
    if (this.#kept.has(key) || this.#busy.has(key)) throw alreadyExists(wanted.name);
    this.#busy.add(key);
    try {
      const number = ++this.#last;
      const activation = await this.#make(number, wanted, mounts, made, temporary);
      this.#kept.set(key, { number, activation });
      return activation;
    } finally {
      this.#busy.delete(key);
    }
  }

  /** NotFound when there is none; FailedPrecondition while somebody is in one of its mounts, and then those above it are gone. */
  async deactivate(namespace: string, name: string): Promise<void> {
    const key = keyOf({ namespace, name });
    const { number, activation } = this.#find(namespace, name);
    if (this.#busy.has(key)) throw alreadyExists(name);
    this.#busy.add(key);
    try {
      await this.#unmake(number, activation.active);
      this.#kept.delete(key);
    } finally {
      this.#busy.delete(key);
    }
  }

  /** Takes those back whose lease is gone; what somebody is in stays until the next time. */
  async endUnleased(isThere: (namespace: string, lease: string) => Promise<boolean>): Promise<void> {
    for (const { activation } of [...this.#kept.values()]) {
      const { namespace, name, lease } = activation;
      if (lease === undefined || (await isThere(namespace, lease))) continue;
      await this.deactivate(namespace, name).catch((error: unknown) =>
        this.#options.log.warn('mounts stay although their lease is gone', { namespace, name, error: errorMessage(error) }),
      );
    }
  }

  info(namespace: string, name: string): Activation {
    return this.#find(namespace, name).activation;
  }

  /** Filters know `name` and `labels.NAME`. */
  list(namespace: string, filters: readonly string[]): readonly Activation[] {
    const wanted = parseFilters(filters);
    return [...this.#kept.values()]
      .map(({ activation }) => activation)
      .filter((activation) => activation.namespace === namespace && wanted(fieldsOf({ name: activation.name }, { labels: activation.labels })))
      .sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  setLabels(namespace: string, name: string, labels: Readonly<Record<string, string>>): Activation {
    const { number, activation } = this.#find(namespace, name);
    const changed = { ...activation, labels };
    this.#write(number, changed);
    this.#kept.set(keyOf(changed), { number, activation: changed });
    return changed;
  }

  async #make(number: number, wanted: Wanted, mounts: readonly PlainMount[], count: number, temporary: boolean): Promise<Activation> {
    const { now = () => new Date() } = this.#options;
    const active: Activation['active'][number][] = [];
    mkdirSync(this.#directory(number), { mode: 0o700 });
    try {
      for (const [index, given] of mounts.slice(0, count).entries()) {
        const mount = formatMount(given, active);
        const mountPoint = path.join(this.#directory(number), String(index));
        mkdirSync(mountPoint, { mode: 0o700 });
        await this.#options.launcher.run([mountOperation(mount, mountPoint)]);
        active.push({ ...mount, mountPoint, mountedAtMs: now().getTime() });
      }
      const [first, ...others] = mounts.slice(count);
      const left = first === undefined ? [] : [formatMount(first, active), ...others];
      const top = active.at(-1)?.mountPoint;
      const system = temporary && top !== undefined ? [...left, { type: 'bind', source: top, target: '', options: ['rbind'] }] : left;
      const activation = { ...wanted, active, system };
      this.#write(number, activation);
      return activation;
    } catch (error) {
      await this.#unmake(number, active).catch((failure: unknown) =>
        this.#options.log.warn('mounts of an activation that failed stay', { name: wanted.name, error: errorMessage(failure) }),
      );
      throw error;
    }
  }

  async #unmake(number: number, active: Activation['active']): Promise<void> {
    for (const { mountPoint } of active.toReversed()) await this.#options.launcher.run([unmountOperation(mountPoint)]);
    // Mount points are empty now, or they are not ours to empty.
    for (const entry of readdirSync(this.#directory(number))) if (entry !== file) await rmdir(path.join(this.#directory(number), entry));
    rmSync(this.#directory(number), { recursive: true });
  }

  #find(namespace: string, name: string): Kept {
    const kept = this.#kept.get(keyOf({ namespace, name }));
    if (kept === undefined) throw new StrakeError('NotFound', `mount ${JSON.stringify(name)}: not found`, { fields: { layer: 'containerd' } });
    return kept;
  }

  #directory(number: number): string {
    return path.join(this.#options.directory, String(number));
  }

  #write(number: number, activation: Activation): void {
    replaceFile(path.join(this.#directory(number), file), JSON.stringify(activation));
  }

  /** Undefined for what a killed daemon had only begun: its mounts, if there are any, are named in the log. */
  #read(number: number): Activation | undefined {
    try {
      return JSON.parse(readFileSync(path.join(this.#directory(number), file), 'utf8')) as Activation;
    } catch (error) {
      this.#options.log.warn('an activation of mounts that was not finished stays', { directory: this.#directory(number), error: errorMessage(error) });
      return undefined;
    }
  }
}

function keyOf({ namespace, name }: Pick<Activation, 'namespace' | 'name'>): string {
  return `${namespace} ${name}`;
}

function alreadyExists(name: string): StrakeError {
  return new StrakeError('AlreadyExists', `mount ${JSON.stringify(name)}: already exists`, { fields: { layer: 'containerd' } });
}

function invalid(message: string): StrakeError {
  return new StrakeError('InvalidArgument', message, { fields: { layer: 'containerd' } });
}
