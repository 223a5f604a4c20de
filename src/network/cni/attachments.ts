import { rm } from 'node:fs/promises';
import path from 'node:path';
import { readJsonDirectory, writeJsonFile } from '../json-files.ts';
import type { PodToConnect } from '../pods/pod-network.ts';
import type { CniNetwork, JsonObject } from './network-config.ts';

/** A pod in a network, as it is kept from before its first plugin runs until its last one has given everything back. */
export interface Attachment {
  readonly pod: PodToConnect;
  /** as it was configured then: what it takes to be undone after the configuration has changed */
  readonly network: CniNetwork;
  readonly interfaceName: string;
}

/** What the last plugin answered, undefined until then. */
interface KeptResult {
  readonly podId: string;
  readonly result: JsonObject;
}

/** The attachments, in files below the data root: what address plugins keep outlives a reboot, too. */
export class Attachments {
  private readonly directory: string;
  private readonly attachments = new Map<string, Attachment>();
  private readonly results = new Map<string, JsonObject>();

  constructor(directory: string) {
    this.directory = directory;
  }

  load(): void {
    for (const attachment of readJsonDirectory<Attachment>(this.sub('pods'))) this.attachments.set(attachment.pod.id, attachment);
    for (const { podId, result } of readJsonDirectory<KeptResult>(this.sub('results'))) if (this.attachments.has(podId)) this.results.set(podId, result);
  }

  all(): readonly Attachment[] {
    return [...this.attachments.values()];
  }

  get(podId: string): Attachment | undefined {
    return this.attachments.get(podId);
  }

  resultOf(podId: string): JsonObject | undefined {
    return this.results.get(podId);
  }

  begin(attachment: Attachment): void {
    writeJsonFile(this.sub('pods', attachment.pod.id), attachment);
    this.attachments.set(attachment.pod.id, attachment);
  }

  complete(podId: string, result: JsonObject): void {
    writeJsonFile(this.sub('results', podId), { podId, result } satisfies KeptResult);
    this.results.set(podId, result);
  }

  /** Idempotent. The pod is in no network from now on, its files are gone when this resolves; of what is half gone when it is cut short, a result alone counts for nothing. */
  async end(podId: string): Promise<void> {
    this.results.delete(podId);
    this.attachments.delete(podId);
    await Promise.all([this.sub('results', podId), this.sub('pods', podId)].map(async (file) => await rm(file, { force: true })));
  }

  private sub(folder: 'pods' | 'results', podId?: string): string {
    return podId === undefined ? path.join(this.directory, folder) : path.join(this.directory, folder, `${podId}.json`);
  }
}
