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

/** Where networks and given-out addresses survive a restart of the daemon. */
export interface NetworkStore {
  /** Undefined when nothing was saved. DataLoss when it cannot be read. */
  load(): NetworkState | undefined;
  /** Replaces the whole; atomic against a crash of the daemon. */
  save(state: NetworkState): void;
}

/** A JSON file, replaced by rename. Not synced: after a power loss no container runs that an address would belong to. */
export function fileNetworkStore(file: string): NetworkStore {
  return {
    load() {
      let text: string;
      try {
        text = readFileSync(file, 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
      try {
        const state = JSON.parse(text) as NetworkState;
        if (!Array.isArray(state.networks) || !Array.isArray(state.endpoints)) throw new Error('networks or endpoints are missing');
        return state;
      } catch (error) {
        throw new StrakeError('DataLoss', `damaged network state ${file}`, {
          cause: error,
          fields: { layer: 'network', remedy: `stop the containers and remove ${file}` },
        });
      }
    },
    save(state) {
      mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
      writeFileSync(`${file}.new`, `${JSON.stringify(state)}\n`, { mode: 0o600 });
      renameSync(`${file}.new`, file);
    },
  };
}
