import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { errorMessage, KeyedLock, Slots, StrakeError } from '../../base/index.ts';
import type { PodAddresses, PodNetwork, PodNetworkStatus, PodToConnect } from '../pods/pod-network.ts';
import { type Attachment, Attachments } from './attachments.ts';
import { ConfigDirectory } from './config-directory.ts';
import { type CniNetwork, type CniPlugin, isCniName, type JsonObject, speaks } from './network-config.ts';
import { callPlugin, findPlugin, type PluginVerb } from './plugin.ts';
import { addressesOf } from './result.ts';
import { argumentsOf, capabilityArguments, runtimeConfigOf } from './runtime-config.ts';

export interface CniOptions {
  /** of the configurations: /etc/cni/net.d */
  readonly configDirectory: string;
  /** where plugins are looked for, the first first: /opt/cni/bin, /usr/lib/cni */
  readonly pluginDirectories: readonly string[];
}

export interface CniPodNetworkOptions extends CniOptions {
  /** Below the data root: who is attached to what. */
  readonly attachmentDirectory: string;
  /** For each run of a plugin; a minute when absent. */
  readonly timeoutMs?: number | undefined;
  /** How many pods are added at once, the others in order; the number of processors when absent. */
  readonly atOnce?: number | undefined;
  /** After which a pod that is still being added counts no more; half a second when absent. */
  readonly patienceMs?: number | undefined;
  readonly onWarning: (message: string, error: unknown) => void;
}

const interfaceName = 'eth0';
const defaultTimeoutMs = 60_000;
/** What takes longer than this waits for something, and keeps no processor busy. */
const defaultPatienceMs = 500;
const gcKey = 'cni.dev/valid-attachments';

/** Pod networks of the plugins of others: CNI 1.1 and all before it (github.com/containernetworking/cni, SPEC.md), the runtime's part. */
export class CniPodNetwork implements PodNetwork {
  private readonly options: CniPodNetworkOptions;
  private readonly directory: ConfigDirectory;
  private readonly attachments: Attachments;
  private readonly locks = new KeyedLock();
  private readonly turns: Slots;

  constructor(options: CniPodNetworkOptions) {
    this.options = options;
    this.directory = new ConfigDirectory(options.configDirectory);
    this.attachments = new Attachments(options.attachmentDirectory);
    this.turns = new Slots(options.atOnce ?? availableParallelism());
  }

  async start(): Promise<void> {
    this.attachments.load();
  }

  /** Whether there is a configuration, be it good or bad. */
  isConfigured(): boolean {
    return this.directory.exists();
  }

  /** Whether the pod has, or may have, something of a network here. */
  has(podId: string): boolean {
    return this.attachments.get(podId) !== undefined;
  }

  async add(pod: PodToConnect, signal?: AbortSignal): Promise<PodAddresses> {
    using _lock = await this.locks.take(pod.id, signal);
    if (!isCniName(pod.id)) throw new StrakeError('InvalidArgument', `invalid pod id ${JSON.stringify(pod.id)}`, { fields: { layer: 'network' } });
    if (this.attachments.resultOf(pod.id)) throw new StrakeError('AlreadyExists', `pod ${pod.id} has a network already`, { fields: { layer: 'network' } });
    using _turn = await this.turn(signal);
    const network = this.requiredNetwork();
    const left = this.attachments.get(pod.id);
    if (left) {
      await this.detach(left, signal);
      await this.attachments.end(pod.id);
    }
    const attachment: Attachment = { pod, network, interfaceName };
    // What is wrong with the pod is found before anything is kept of it.
    argumentsOf(pod);
    capabilityArguments(pod);
    this.attachments.begin(attachment);
    try {
      return await this.attach(attachment, signal);
    } catch (error) {
      try {
        await this.detach(attachment, undefined);
        await this.attachments.end(pod.id);
      } catch (failure) {
        this.options.onWarning(`what pod ${pod.id} had of network ${network.name} is left to a deletion`, failure);
      }
      throw error;
    }
  }

  async delete(podId: string, signal?: AbortSignal): Promise<void> {
    using held = new DisposableStack();
    held.use(await this.locks.take(podId, signal));
    const attachment = this.attachments.get(podId);
    if (!attachment) return;
    await this.detach(attachment, signal);
    // Behind the answer: an unlink may wait for the disk. Who comes next for this pod waits for it, too.
    const lock = held.move();
    this.attachments
      .end(podId)
      .catch((error: unknown) =>
        this.options.onWarning(`what was kept of pod ${podId} in network ${attachment.network.name} is looked at at the next start`, error),
      )
      .finally(() => lock.dispose());
  }

  async check(podId: string, signal?: AbortSignal): Promise<void> {
    using _lock = await this.locks.take(podId, signal);
    const attachment = this.attachments.get(podId);
    const result = this.attachments.resultOf(podId);
    if (!attachment || !result) throw new StrakeError('NotFound', `pod ${podId} has no network`, { fields: { layer: 'network' } });
    const { network } = attachment;
    if (network.disableCheck || !speaks(network.cniVersion, '0.4.0')) return;
    for (const plugin of network.plugins) await this.call(plugin, 'CHECK', { attachment, previous: result, signal });
  }

  async status(signal?: AbortSignal): Promise<PodNetworkStatus> {
    let network: CniNetwork | undefined;
    try {
      network = this.requiredNetwork();
      for (const { type } of network.plugins) findPlugin(type, this.options.pluginDirectories);
      if (speaks(network.cniVersion, '1.1.0')) for (const plugin of network.plugins) await this.call(plugin, 'STATUS', { network, signal });
      return { ready: true, message: `network ${network.name}: ${network.plugins.map(({ type }) => type).join(', ')}`, details: network };
    } catch (error) {
      signal?.throwIfAborted();
      return { ready: false, message: errorMessage(error), details: network ?? null };
    }
  }

  /** Goes on after a failure, which is thrown at the end. */
  async gc(podIds: ReadonlySet<string>, signal?: AbortSignal): Promise<void> {
    const failures = new Failures();
    for (const { pod } of this.attachments.all()) if (!podIds.has(pod.id)) await failures.gather(() => this.delete(pod.id, signal));
    const network = this.directory.network();
    if (network !== undefined && !network.disableGc && speaks(network.cniVersion, '1.1.0')) {
      const valid = this.attachments
        .all()
        .filter((attachment) => attachment.network.name === network.name)
        .map((attachment) => ({ containerID: attachment.pod.id, ifname: attachment.interfaceName }));
      for (const plugin of network.plugins) await failures.gather(() => this.call(plugin, 'GC', { network, extra: { [gcKey]: valid }, signal }));
    }
    failures.throwFirst();
  }

  async close(): Promise<void> {}

  /**
   * Plugins that make a network compute all the time: more of them than processors only hold each other up, and the changes that they make to the
   * kernel's rules at the same time are undone and made again.
   */
  private async turn(signal: AbortSignal | undefined): Promise<Disposable> {
    const turn = await this.turns.take(signal);
    const end = () => {
      clearTimeout(patience);
      turn[Symbol.dispose]();
    };
    const patience = setTimeout(end, this.options.patienceMs ?? defaultPatienceMs);
    return { [Symbol.dispose]: end };
  }

  private async attach(attachment: Attachment, signal: AbortSignal | undefined): Promise<PodAddresses> {
    const { pod, network } = attachment;
    let result: JsonObject | undefined;
    for (const plugin of network.plugins) {
      result = await this.call(plugin, 'ADD', { attachment, previous: result, signal });
      if (result === undefined)
        throw new StrakeError('Internal', `network plugin ${plugin.type} failed (ADD): it answered nothing`, { fields: { layer: 'network' } });
    }
    const [first, ...others] = addressesOf(result ?? {});
    if (result === undefined || first === undefined)
      throw new StrakeError('Internal', `network ${network.name} gave pod ${pod.id} no address`, {
        fields: { layer: 'network', remedy: "look at the plugins' answers: the last one has no ips for an interface of the pod" },
      });
    this.attachments.complete(pod.id, result);
    return { addresses: [first, ...others], details: result };
  }

  /** Last plugin first. Every one is called, also when another has failed: what one gives back, the next need not keep. */
  private async detach(attachment: Attachment, signal: AbortSignal | undefined): Promise<void> {
    const { pod, network } = attachment;
    const previous = speaks(network.cniVersion, '0.4.0') ? this.attachments.resultOf(pod.id) : undefined;
    const failures = new Failures();
    for (const plugin of network.plugins.toReversed()) await failures.gather(() => this.call(plugin, 'DEL', { attachment, previous, signal }));
    failures.throwFirst();
  }

  private requiredNetwork(): CniNetwork {
    const network = this.directory.network();
    if (!network)
      throw new StrakeError('Unavailable', `no network configuration in ${this.directory.path}`, {
        fields: { layer: 'network', remedy: 'install a CNI network; a .conflist there is read at once' },
      });
    return network;
  }

  private call(
    plugin: CniPlugin,
    verb: PluginVerb,
    about: { attachment?: Attachment; network?: CniNetwork; previous?: JsonObject | undefined; extra?: JsonObject; signal: AbortSignal | undefined },
  ): Promise<JsonObject | undefined> {
    const { attachment, previous, extra = {}, signal } = about;
    const network = attachment?.network ?? about.network;
    const { capabilities: _, ...config } = plugin.config;
    const runtimeConfig = attachment && runtimeConfigOf(plugin, capabilityArguments(attachment.pod));
    return callPlugin({
      type: plugin.type,
      verb,
      directories: this.options.pluginDirectories,
      attachment: attachment && {
        containerId: attachment.pod.id,
        // SPEC.md, "DEL": it is empty once the namespace is gone
        netns: verb === 'DEL' && !existsSync(attachment.pod.netns) ? '' : attachment.pod.netns,
        interfaceName: attachment.interfaceName,
        args: argumentsOf(attachment.pod),
      },
      config: {
        ...config,
        cniVersion: network?.cniVersion,
        name: network?.name,
        ...(runtimeConfig === undefined ? {} : { runtimeConfig }),
        ...(previous === undefined ? {} : { prevResult: previous }),
        ...extra,
      },
      timeoutMs: this.options.timeoutMs ?? defaultTimeoutMs,
      signal,
    });
  }
}

/** Of steps that are all taken, whichever fail. */
class Failures {
  private readonly errors: unknown[] = [];

  async gather(step: () => Promise<unknown>): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.errors.push(error);
    }
  }

  throwFirst(): void {
    if (this.errors.length > 0) throw this.errors[0];
  }
}
