import { describe, expect, test } from 'bun:test';
import { parseManifests } from './parse.ts';

const pod = (spec: string) => `kind: Pod\nmetadata: {name: a}\nspec: ${spec}\n`;

describe('documents', () => {
  test('pods, what they refer to, and kinds of which nothing is made', () => {
    const text = `# a comment
apiVersion: v1
kind: Pod
metadata: {name: a, labels: {__proto__: x}}
spec:
  containers:
  - {name: c, image: i, resources: {limits: {cpu: 2, memory: 64Mi}}, command: null}
---
---
{"kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"k": "v"}}
---
kind: List
items:
- {kind: Secret, metadata: {name: s}, stringData: {k: v}}
- {kind: Service, metadata: {name: net}}
`;
    const { pods, configMaps, secrets, warnings } = parseManifests(text, 'f');
    expect(JSON.stringify(pods)).toBe(
      '[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","labels":{"__proto__":"x"}},"spec":{"containers":[{"name":"c","image":"i","resources":{"limits":{"cpu":"2","memory":"64Mi"}}}]}}]',
    );
    expect(configMaps.map(({ data }) => data)).toEqual([{ k: 'v' }]);
    expect(secrets.map(({ stringData }) => stringData)).toEqual([{ k: 'v' }]);
    expect(warnings).toEqual(['f: Service "net": nothing is made of this kind']);
  });

  test('YAML as Kubernetes reads it', () => {
    const text = pod('{containers: [], hostNetwork: yes, volumes: [{name: v, configMap: {name: 12:30:45, defaultMode: 0644}}], hostname: 2001-01-01}');
    expect(parseManifests(text, 'f').pods[0]?.spec).toEqual({
      containers: [],
      hostNetwork: true,
      volumes: [{ name: 'v', configMap: { name: '12:30:45', defaultMode: 0o644 } }],
      hostname: '2001-01-01',
    });
  });

  test('fields that Kubernetes does not know are named and left out', () => {
    const { pods, warnings } = parseManifests(pod('{containers: [{name: c, imag: i}]}'), 'f');
    expect(pods[0]?.spec).toEqual({ containers: [{ name: 'c' }] as never });
    expect(warnings).toEqual(['f: Pod "a": unknown field "spec.containers[0].imag"']);
  });

  test('the pods of a workload', () => {
    const text =
      'kind: Deployment\nmetadata: {name: d, namespace: ns}\nspec: {replicas: 2, selector: {}, template: {metadata: {labels: {a: b}}, spec: {containers: []}}}\n';
    expect(parseManifests(text, 'f').pods.map(({ metadata }) => metadata)).toEqual([
      { labels: { a: 'b' }, name: 'd-0', namespace: 'ns' },
      { labels: { a: 'b' }, name: 'd-1', namespace: 'ns' },
    ]);
  });

  test.each([
    ['[1]', 'f: a document must be a mapping'],
    ['metadata: {name: a}', 'f: an object has no kind'],
    ['{a: b', 'f: Flow map must end with a } at line 1, column 6:'],
    [pod('{containers: {}}'), 'f: Pod "a": spec.containers: must be a list, not a mapping'],
    [
      pod('{containers: [{name: 1, image: [a]}], hostPID: 3}'),
      'f: Pod "a": spec.containers[0].name: must be a text, not 1; spec.containers[0].image: must be a text, not a list; spec.hostPID: must be true or false, not 3',
    ],
    [pod('{containers: [], activeDeadlineSeconds: 1.5}'), 'f: Pod "a": spec.activeDeadlineSeconds: must be a whole number, not 1.5'],
    [
      'kind: Deployment\nmetadata: {name: d}\nspec: {replicas: 100000, selector: {}, template: {}}',
      'f: Deployment "d": asks for 100000 pods; from 0 to 250 can be had',
    ],
    [
      `a: &a [x, x]\n${Array.from({ length: 40 }, (_, i) => `b${i}: &b${i} [*${i === 0 ? 'a' : `b${i - 1}`}, *${i === 0 ? 'a' : `b${i - 1}`}]`).join('\n')}`,
      'f: Excessive alias count indicates a resource exhaustion attack',
    ],
  ])('%j is refused', (text, message) => {
    expect(() => parseManifests(text, 'f')).toThrow(message);
  });
});
