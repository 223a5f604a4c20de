import fc from 'fast-check';
import { stringify } from 'yaml';
import { makePod, parseManifests } from '../../src/kubelet/index.ts';
import { accepted, check } from '../target.ts';

const probe = { httpGet: { path: '/', port: 'http' }, periodSeconds: 1 };
const container = {
  name: 'main',
  image: 'busybox:1',
  command: ['sh', '-c', 'true'],
  env: [
    { name: 'A', value: '$(B)' },
    { name: 'B', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
  ],
  ports: [{ name: 'http', containerPort: 80, hostPort: 8080 }],
  resources: { limits: { cpu: '1', memory: '64Mi' } },
  livenessProbe: probe,
  lifecycle: { preStop: { exec: { command: ['true'] } } },
  securityContext: { runAsUser: 1, seccompProfile: { type: 'RuntimeDefault' } },
  volumeMounts: [{ name: 'v', mountPath: '/v', subPath: 'a/b' }],
};
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'a', namespace: 'n', labels: { app: 'a' }, annotations: {} },
  spec: {
    containers: [container],
    initContainers: [{ name: 'i', image: 'i', restartPolicy: 'Always' }],
    volumes: [{ name: 'v', emptyDir: { medium: 'Memory' } }],
    restartPolicy: 'Always',
  },
};
const deployment = { kind: 'Deployment', metadata: { name: 'd' }, spec: { replicas: 2, selector: {}, template: { metadata: pod.metadata, spec: pod.spec } } };
const others = [
  { kind: 'ConfigMap', metadata: { name: 'm' }, data: { k: 'v' } },
  { kind: 'List', items: [pod] },
  { kind: 'Secret', metadata: { name: 's' }, data: { k: 'dg==' } },
];

const strange = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(null, -1, 2 ** 53, 1.5, '__proto__', '../../x', 'yes', '0x10', '1e9999', 'Always', [], {}, [null], 'a'.repeat(300)),
);
const change = fc.tuple(fc.nat(), strange);
const object = fc.tuple(fc.constantFrom<object>(pod, pod, deployment, ...others), fc.array(change, { maxLength: 4 })).map(([valid, changes]) => {
  const copy = structuredClone(valid);
  for (const [at, value] of changes) setNth(copy, at, value);
  return copy;
});
const text = fc
  .tuple(
    fc.array(object, { minLength: 1, maxLength: 2 }),
    fc.integer({ min: 0, max: 3 }),
    fc.option(fc.tuple(fc.nat(), fc.string({ maxLength: 5 })), { freq: 4 }),
  )
  .map(([objects, form, cut]) => {
    const whole = objects.map((one) => (form > 0 ? JSON.stringify(one) : stringify(one))).join('\n---\n');
    if (cut === null) return whole;
    const at = cut[0] % (whole.length + 1);
    return whole.slice(0, at) + cut[1] + whole.slice(at + cut[1].length);
  });

/** Replaces one of all values in it, which one `at` says. */
function setNth(root: object, at: number, value: unknown): void {
  const places: [Record<string, unknown>, string][] = [];
  const visit = (part: unknown): void => {
    if (typeof part !== 'object' || part === null) return;
    for (const [key, inner] of Object.entries(part)) {
      places.push([part as Record<string, unknown>, key]);
      visit(inner);
    }
  };
  visit(root);
  const place = places[at % places.length];
  if (place !== undefined) place[0][place[1]] = structuredClone(value);
}

/** Manifests of pods and what goes with them: a pod that is taken has what it needs to be run, and names that are no paths. */
export function pods(runs: number, seed: number): void {
  const property = fc.property(text, (manifest) => {
    for (const one of accepted(() => parseManifests(manifest, 'f'))?.pods ?? []) {
      const made = accepted(() => makePod(one));
      if (made === undefined) continue;
      const { containers, initContainers = [], volumes = [] } = made.spec;
      const names = [made.name, made.namespace, ...[...containers, ...initContainers, ...volumes].map(({ name }) => name)];
      check(
        names.every((name) => /^[a-z0-9][a-z0-9.-]*$/.test(name) && name.length <= 253),
        `the names ${JSON.stringify(names)}`,
      );
      check(containers.length > 0 && containers.every(({ image }) => typeof image === 'string' && image !== ''), 'containers with images');
      check(accepted(() => makePod(JSON.parse(JSON.stringify(made.manifest)) as typeof one))?.uid === made.uid, 'the same pod when it is read again');
    }
  });
  fc.assert(property, { numRuns: runs, seed });
}
