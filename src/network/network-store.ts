import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { StrakeError } from '../base/index.ts';

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
    load: () => ({ networks: readJson<StoredNetwork[]>(files.networks) ?? [], endpoints: readEndpoints(files.endpoints) }),
    saveNetworks: (networks) => writeJson(files.networks, networks),
    addEndpoint: (endpoint) => writeJson(path.join(files.endpoints, `${endpoint.id}.json`), endpoint),
    removeEndpoint: (id) => rmSync(path.join(files.endpoints, `${id}.json`), { force: true }),
  };
}

/** Files that a crash left before their rename have another ending. */
function readEndpoints(directory: string): readonly StoredEndpoint[] {
  const names = ignoreMissing(() => readdirSync(directory)) ?? [];
  return names.filter((name) => name.endsWith('.json')).flatMap((name) => readJson<StoredEndpoint>(path.join(directory, name)) ?? []);
}

function readJson<T extends object>(file: string): T | undefined {
  const text = ignoreMissing(() => readFileSync(file, 'utf8'));
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new StrakeError('DataLoss', `damaged network state ${file}`, {
      cause: error,
      fields: { layer: 'network', remedy: `stop the containers and remove ${file}` },
    });
  }
}

function writeJson(file: string, value: unknown): void {
  const write = () => writeFileSync(`${file}.new`, `${JSON.stringify(value)}\n`, { mode: 0o600 });
  try {
    write();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    write();
  }
  renameSync(`${file}.new`, file);
}

function ignoreMissing<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
