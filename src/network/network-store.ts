import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
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

/** Where networks and given-out addresses survive a restart of the daemon. Each save replaces the whole, atomically against a crash of the daemon. */
export interface NetworkStore {
  /** What was saved; empty lists for nothing. DataLoss when it cannot be read. */
  load(): NetworkState;
  saveNetworks(networks: readonly StoredNetwork[]): void;
  saveEndpoints(endpoints: readonly StoredEndpoint[]): void;
}

export interface NetworkFiles {
  /** below the data root: networks outlive a reboot */
  readonly networks: string;
  /** below the run directory: no container that has an address outlives a reboot, and every start of one writes it */
  readonly endpoints: string;
}

/** Two JSON files, replaced by rename. */
export function fileNetworkStore(files: NetworkFiles): NetworkStore {
  return {
    load: () => ({ networks: readList<StoredNetwork>(files.networks), endpoints: readList<StoredEndpoint>(files.endpoints) }),
    saveNetworks: (networks) => replace(files.networks, networks),
    saveEndpoints: (endpoints) => replace(files.endpoints, endpoints),
  };
}

function readList<T>(file: string): readonly T[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  try {
    const list: unknown = JSON.parse(text);
    if (!Array.isArray(list)) throw new Error('it is not a list');
    return list as T[];
  } catch (error) {
    throw new StrakeError('DataLoss', `damaged network state ${file}`, {
      cause: error,
      fields: { layer: 'network', remedy: `stop the containers and remove ${file}` },
    });
  }
}

function replace(file: string, list: readonly unknown[]): void {
  const write = () => writeFileSync(`${file}.new`, `${JSON.stringify(list)}\n`, { mode: 0o600 });
  try {
    write();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    write();
  }
  renameSync(`${file}.new`, file);
}
