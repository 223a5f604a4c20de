import { describe, expect, test } from 'bun:test';
import { testContainer, testPod } from '../fixtures.ts';
import type { V1Container } from '../kubernetes.ts';
import { makeEnvironment } from './environment.ts';
import { expand } from './expand.ts';
import { objectsOf } from './objects.ts';

const sources = {
  objects: objectsOf({
    configMaps: [{ metadata: { name: 'm' }, data: { a: '1' }, binaryData: { b: 'Mg==' } }],
    secrets: [{ metadata: { name: 's' }, data: { p: 'cGFzcw==' }, stringData: { q: 'plain' } }],
    claims: [],
  }),
  place: { nodeName: 'node', hostIPs: ['192.0.2.1'], podIPs: ['10.0.0.2', 'fd00::2'] },
  machine: { cpus: 4, memoryBytes: 8n << 30n },
};

function environment(container: Partial<V1Container>): Record<string, string> {
  const main = testContainer('main', container);
  return Object.fromEntries(makeEnvironment(testPod({ containers: [main] }), main, sources));
}

describe('variables', () => {
  test('of whole objects, with a prefix', () => {
    expect(
      environment({
        envFrom: [{ configMapRef: { name: 'm' }, prefix: 'M_' }, { secretRef: { name: 's' } }, { configMapRef: { name: 'none', optional: true } }],
      }),
    ).toEqual({ M_a: '1', M_b: '2', p: 'pass', q: 'plain' });
  });

  test('of keys, of fields and of limits', () => {
    const field = (fieldPath: string) => ({ name: fieldPath, valueFrom: { fieldRef: { fieldPath } } });
    const resource = (name: string, divisor?: string) => ({
      name: `${name}/${divisor}`,
      valueFrom: { resourceFieldRef: { resource: name, ...(divisor === undefined ? {} : { divisor }) } },
    });
    expect(
      environment({
        resources: { limits: { cpu: '1500m' }, requests: { memory: '64Mi' } },
        env: [
          { name: 'key', valueFrom: { configMapKeyRef: { name: 'm', key: 'a' } } },
          { name: 'none', valueFrom: { secretKeyRef: { name: 's', key: 'none', optional: true } } },
          field('metadata.name'),
          field("metadata.labels['app']"),
          field("metadata.annotations['toString']"),
          field('status.podIPs'),
          field('spec.nodeName'),
          resource('limits.cpu'),
          resource('limits.cpu', '1m'),
          resource('limits.memory', '1Gi'),
          resource('requests.memory', '1Mi'),
        ],
      }),
    ).toEqual({
      key: '1',
      'metadata.name': 'pod',
      "metadata.labels['app']": 'test',
      "metadata.annotations['toString']": '',
      'status.podIPs': '10.0.0.2,fd00::2',
      'spec.nodeName': 'node',
      'limits.cpu/undefined': '2',
      'limits.cpu/1m': '1500',
      'limits.memory/1Gi': '8',
      'requests.memory/1Mi': '64',
    });
  });

  test.each<[Partial<V1Container>, string]>([
    [{ envFrom: [{ secretRef: { name: 'none' } }] }, 'secret "default/none" not found'],
    [{ env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'none', key: 'k' } } }] }, 'configMap "default/none" not found'],
    [{ env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] }, "couldn't find key k in Secret default/s"],
    [{ env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'spec.hostname' } } }] }, 'a pod has no field "spec.hostname" to be told'],
  ])('%j cannot be had', (container, message) => {
    expect(() => environment(container)).toThrow(message);
  });
});

test.each([
  ['$(A) $(B)', '1 $(B)'],
  ['$$(A) $$$(A)', '$(A) $1'],
  ['$A {A} $', '$A {A} $'],
  ['$(A', '$(A'],
])('%j expands to %j', (text, expected) => {
  expect(expand(text, new Map([['A', '1']]))).toBe(expected);
});
