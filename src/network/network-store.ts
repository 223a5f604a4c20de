import { rmSync } from 'node:fs';
import path from 'node:path';
import { readJsonDirectory, readJsonFile, writeJsonFile } from './json-files.ts';

/** A network as it is kept. */
export interface StoredNetwork {
  readonly id: string;
  readonly name: string;
  /** the bridge interface */
  readonly bridge: string;
  /** RFC 3339 */
  readonly createdAt: string;
  /** CIDR */
  readonly subnet: string;
  readonly ipRange: string | undefined;
  readonly gateway: string;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** A container's place in a network. */
export interface StoredEndpoint {
  readonly id: string;
  readonly networkId: string;
  readonly containerId: string;
  readonly address: string;
  readonly mac: string;
  /** the host's end of the pair */
  readonly link: string;
}

export interface NetworkState {
  readonly networks: readonly StoredNetwork[];
  readonly endpoints: readonly StoredEndpoint[];
}

/** Where networks and given-out addresses survive a restart of the daemon. Each change is atomic against its crash. */
export interface NetworkStore {
  /** What was saved; empty lists for nothing. DataLoss when it cannot be read. */
  load(): NetworkState;
  /** Replaces the list. */
  saveNetworks(networks: readonly StoredNetwork[]): void;
  addEndpoint(endpoint: StoredEndpoint): void;
  /** Idempotent. */
  removeEndpoint(id: string): void;
}

export interface NetworkFiles {
  /** a file below the data root: networks outlive a reboot */
  readonly networks: string;
  /** a directory below the run directory: no container that has an address outlives a reboot */
  readonly endpoints: string;
}

/**
 * A JSON file for the networks, and one for each endpoint, named by its id. Every start of a container writes one, and a file of its own is the cheap
 * way: ext4 flushes a file that is renamed over another (2-4 ms), but not one that gets a new name.
 */
export function fileNetworkStore(files: NetworkFiles): NetworkStore {
  return {
    load: () => ({ networks: readJsonFile<StoredNetwork[]>(files.networks) ?? [], endpoints: readJsonDirectory<StoredEndpoint>(files.endpoints) }),
    saveNetworks: (networks) => writeJsonFile(files.networks, networks),
    addEndpoint: (endpoint) => writeJsonFile(path.join(files.endpoints, `${endpoint.id}.json`), endpoint),
    removeEndpoint: (id) => rmSync(path.join(files.endpoints, `${id}.json`), { force: true }),
  };
}
