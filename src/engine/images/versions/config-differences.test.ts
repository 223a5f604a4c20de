import { expect, test } from 'bun:test';
import type { ImageConfig } from '../../../oci/index.ts';
import { configDifferences } from './config-differences.ts';

const image = (config: object, more: object = {}): ImageConfig =>
  ({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [] }, config, ...more }) as ImageConfig;

test.each([
  [{}, {}, []],
  [
    { Env: ['A=1', 'B=2'] },
    { Env: ['B=3', 'C=x=y'] },
    [
      { Name: 'Env.A', From: '1' },
      { Name: 'Env.B', From: '2', To: '3' },
      { Name: 'Env.C', To: 'x=y' },
    ],
  ],
  [{ Env: ['A=1', 'B=2'] }, { Env: ['B=2', 'A=1'] }, []],
  [{ Cmd: ['sh'], User: '' }, { Cmd: ['sh', '-c'], User: null }, [{ Name: 'Cmd', From: '["sh"]', To: '["sh","-c"]' }]],
  [{ Labels: { a: '1', __proto__: null } }, { Labels: { a: '2' } }, [{ Name: 'Labels.a', From: '1', To: '2' }]],
  [{ ExposedPorts: { '80/tcp': {} } }, { ExposedPorts: null }, [{ Name: 'ExposedPorts.80/tcp', From: '{}' }]],
])('%j and %j', (from, to, differences) => expect(configDifferences(image(from), image(to)) as unknown).toEqual(differences));

test('the platform and the author too, the layers not', () => {
  const to = image({}, { architecture: 'arm64', variant: 'v8', author: 'ann', rootfs: { type: 'layers', diff_ids: ['x'] } });
  expect(configDifferences(image({}), to)).toEqual([
    { Name: 'Architecture', From: 'amd64', To: 'arm64' },
    { Name: 'Author', To: 'ann' },
    { Name: 'Variant', To: 'v8' },
  ]);
});
