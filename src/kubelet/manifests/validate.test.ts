import { describe, expect, test } from 'bun:test';
import { testContainer } from '../fixtures.ts';
import type { V1PodSpec } from '../kubernetes.ts';
import { withDefaults } from './defaults.ts';
import { validatePod } from './validate.ts';

function errorsOf(spec: Partial<V1PodSpec>, name = 'a'): readonly string[] {
  return validatePod(withDefaults({ metadata: { name }, spec: { containers: [testContainer('c')], ...spec } }));
}

const handler = { tcpSocket: { port: 80 } };

describe('what Kubernetes would refuse', () => {
  test.each<[Partial<V1PodSpec>, string]>([
    [{ containers: [] }, 'spec.containers: is required'],
    [{ containers: [testContainer('C')] }, 'spec.containers[0].name: "C" is no name of lower-case letters, digits and "-"'],
    [{ containers: [testContainer('c'), testContainer('c')] }, 'spec.containers: "c" is there twice'],
    [{ containers: [testContainer('c', { image: '' })] }, 'spec.containers[0].image: is required'],
    [{ restartPolicy: 'always' }, 'spec.restartPolicy: "always" is none of "Always", "OnFailure", "Never"'],
    [{ containers: [testContainer('c', { restartPolicy: 'Always' })] }, 'spec.containers[0].restartPolicy: can be set for init containers alone'],
    [{ initContainers: [testContainer('i', { livenessProbe: handler })] }, 'spec.initContainers[0].livenessProbe: an init container that ends has no probes'],
    [
      { containers: [testContainer('c', { livenessProbe: { ...handler, exec: { command: ['a'] } } })] },
      'spec.containers[0].livenessProbe: must have exactly one of exec, httpGet, tcpSocket, grpc',
    ],
    [
      { containers: [testContainer('c', { livenessProbe: { ...handler, successThreshold: 2 } })] },
      'spec.containers[0].livenessProbe.successThreshold: must be 1',
    ],
    [{ containers: [testContainer('c', { ports: [{ containerPort: 70_000 }] })] }, 'spec.containers[0].ports[0].containerPort: must be from 1 to 65535'],
    [
      { containers: [testContainer('c', { volumeMounts: [{ name: 'v', mountPath: '/v' }] })] },
      'spec.containers[0].volumeMounts[0].name: there is no volume "v"',
    ],
    [{ volumes: [{ name: 'v' }] }, 'spec.volumes[0]: must have exactly one source'],
    [{ volumes: [{ name: 'v', hostPath: { path: '/a/../b' } }] }, 'spec.volumes[0].hostPath.path: must not contain ".."'],
    [{ volumes: [{ name: 'v', configMap: { name: 'm', items: [{ key: 'k', path: '../k' }] } }] }, 'spec.volumes[0]: "../k" must be a path inside the volume'],
    [
      { volumes: [{ name: 'v', nfs: { path: '/', server: 's' } }] },
      'spec.volumes[0].nfs: is not made by this kubelet, which has emptyDir, hostPath, configMap, secret, downwardAPI, projected, persistentVolumeClaim, image',
    ],
    [{ hostUsers: false, hostNetwork: true }, 'spec.hostUsers: a user namespace cannot be had with namespaces of the host'],
    [{ securityContext: { sysctls: [{ name: 'a b', value: '1' }] } }, 'spec.securityContext.sysctls[0].name: "a b" is no name of a sysctl'],
    [{ containers: [testContainer('c', { resources: { limits: { memory: '1 MB' } } })] }, 'spec.containers[0].resources.limits.memory: "1 MB" is no quantity'],
  ])('%j', (spec, error) => expect(errorsOf(spec)).toContain(error));

  test('a name that is none', () => expect(errorsOf({}, 'A_b')).toEqual(['metadata.name: "A_b" is no name of lower-case letters, digits, "-" and "."']));

  test('a pod with everything that can be had is right', () => {
    const spec: Partial<V1PodSpec> = {
      initContainers: [testContainer('side', { restartPolicy: 'Always', startupProbe: handler }), testContainer('i')],
      containers: [
        testContainer('c', {
          livenessProbe: handler,
          lifecycle: { preStop: { sleep: { seconds: 1 } } },
          volumeMounts: [{ name: 'v', mountPath: '/v', subPath: 'a/b' }],
          resources: { limits: { cpu: '1', memory: '64Mi' } },
        }),
      ],
      volumes: [{ name: 'v', emptyDir: { medium: 'Memory' } }],
    };
    expect(errorsOf(spec)).toEqual([]);
  });
});

test('the defaults of the API', () => {
  const { spec } = withDefaults({
    metadata: { name: 'a' },
    spec: {
      hostNetwork: true,
      containers: [
        { name: 'c', image: 'r:5000/i', ports: [{ containerPort: 80 }], readinessProbe: { httpGet: { port: 80 } } },
        { name: 'd', image: 'i:1' },
      ],
    },
  });
  expect(spec?.containers.map(({ imagePullPolicy }) => imagePullPolicy)).toEqual(['Always', 'IfNotPresent']);
  expect(spec?.containers[0]?.ports).toEqual([{ protocol: 'TCP', hostPort: 80, containerPort: 80 }]);
  expect(spec?.containers[0]?.readinessProbe).toEqual({
    initialDelaySeconds: 0,
    httpGet: { path: '/', scheme: 'HTTP', port: 80 },
    timeoutSeconds: 1,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3,
  });
  expect([spec?.restartPolicy, spec?.dnsPolicy, spec?.terminationGracePeriodSeconds]).toEqual(['Always', 'ClusterFirst', 30]);
});
