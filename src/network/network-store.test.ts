import { expect, test } from 'bun:test';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileNetworkStore } from './network-store.ts';

test('what was saved is loaded; what a crash left is not', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'strake-network-store-'));
  try {
    const files = { networks: path.join(directory, 'data/network/networks.json'), endpoints: path.join(directory, 'run/endpoints') };
    const store = fileNetworkStore(files);
    expect(store.load()).toEqual({ networks: [], endpoints: [] });
    const blank = { ipRange: undefined, internal: false, attachable: false, options: {}, labels: { __proto__x: 'y' } };
    const network = { id: 'n', name: 'bridge', bridge: 'b0', createdAt: '2026-01-01T00:00:00.000Z', subnet: '10.0.0.0/24', gateway: '10.0.0.1', ...blank };
    const endpoint = { id: 'e1', networkId: 'n', containerId: 'c', address: '10.0.0.2', mac: '02:42:0a:00:00:02', link: 'veth1' };
    store.saveNetworks([network]);
    store.addEndpoint(endpoint);
    store.addEndpoint({ ...endpoint, id: 'e2' });
    store.removeEndpoint('e2');
    store.removeEndpoint('e2');
    writeFileSync(path.join(files.endpoints, 'e3.json.new'), '{"id":');
    expect(fileNetworkStore(files).load()).toEqual({ networks: [network], endpoints: [endpoint] });
    expect(statSync(files.networks).mode & 0o777).toBe(0o600);
    writeFileSync(files.networks, '[');
    expect(() => store.load()).toThrow(`damaged network state ${files.networks}`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
