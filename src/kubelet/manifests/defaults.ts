import type { V1Container, V1Lifecycle, V1LifecycleHandler, V1Pod, V1PodSpec, V1Probe, V1ResourceRequirements, V1Volume } from '../kubernetes.ts';

/** What Kubernetes' API fills in where a manifest is silent. The manifest itself is left as it is. */
export function withDefaults(pod: V1Pod): V1Pod {
  const { spec } = pod;
  return {
    ...pod,
    metadata: { ...pod.metadata, namespace: pod.metadata?.namespace || 'default' },
    ...(spec === undefined ? {} : { spec: specWithDefaults(spec) }),
  };
}

function specWithDefaults(spec: V1PodSpec): V1PodSpec {
  const container = (one: V1Container): V1Container => containerWithDefaults(one, spec.hostNetwork === true);
  return {
    restartPolicy: 'Always',
    dnsPolicy: 'ClusterFirst',
    terminationGracePeriodSeconds: 30,
    enableServiceLinks: true,
    securityContext: {},
    ...spec,
    containers: (spec.containers ?? []).map(container),
    ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(container) }),
    ...(spec.volumes === undefined ? {} : { volumes: spec.volumes.map(volumeWithDefaults) }),
  };
}

function containerWithDefaults(container: V1Container, hostNetwork: boolean): V1Container {
  const probe = (name: 'livenessProbe' | 'readinessProbe' | 'startupProbe') =>
    container[name] === undefined ? {} : { [name]: probeWithDefaults(container[name]) };
  return {
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: defaultPullPolicy(container.image ?? ''),
    ...container,
    resources: resourcesWithDefaults(container.resources ?? {}),
    ...(container.ports === undefined
      ? {}
      : { ports: container.ports.map((port) => ({ protocol: 'TCP', ...(hostNetwork ? { hostPort: port.containerPort } : {}), ...port })) }),
    ...probe('livenessProbe'),
    ...probe('readinessProbe'),
    ...probe('startupProbe'),
    ...(container.lifecycle === undefined ? {} : { lifecycle: lifecycleWithDefaults(container.lifecycle) }),
  };
}

/** A name with the tag `latest`, or with neither a tag nor a digest, may mean another image each time. */
export function defaultPullPolicy(image: string): 'Always' | 'IfNotPresent' {
  if (image.includes('@')) return 'IfNotPresent';
  const tag = /:([^:/]+)$/.exec(image)?.[1];
  return tag === undefined || tag === 'latest' ? 'Always' : 'IfNotPresent';
}

/** What has a limit and no request asks for its limit. */
function resourcesWithDefaults(resources: V1ResourceRequirements): V1ResourceRequirements {
  if (resources.limits === undefined) return resources;
  return { ...resources, requests: { ...resources.limits, ...resources.requests } };
}

function handlerWithDefaults<T extends V1LifecycleHandler | V1Probe>(handler: T): T {
  return handler.httpGet === undefined ? handler : { ...handler, httpGet: { path: '/', scheme: 'HTTP', ...handler.httpGet } };
}

function probeWithDefaults(probe: V1Probe): V1Probe {
  return {
    initialDelaySeconds: 0,
    ...handlerWithDefaults(probe),
    // Zero is what Kubernetes takes for silence, too.
    timeoutSeconds: probe.timeoutSeconds || 1,
    periodSeconds: probe.periodSeconds || 10,
    successThreshold: probe.successThreshold || 1,
    failureThreshold: probe.failureThreshold || 3,
  };
}

function lifecycleWithDefaults(lifecycle: V1Lifecycle): V1Lifecycle {
  const { postStart, preStop } = lifecycle;
  return {
    ...lifecycle,
    ...(postStart === undefined ? {} : { postStart: handlerWithDefaults(postStart) }),
    ...(preStop === undefined ? {} : { preStop: handlerWithDefaults(preStop) }),
  };
}

const defaultFileMode = 0o644;

function volumeWithDefaults(volume: V1Volume): V1Volume {
  const { configMap, secret, downwardAPI, projected, hostPath } = volume;
  const mode = { defaultMode: defaultFileMode };
  return {
    ...volume,
    ...(configMap === undefined ? {} : { configMap: { ...mode, ...configMap } }),
    ...(secret === undefined ? {} : { secret: { ...mode, ...secret } }),
    ...(downwardAPI === undefined ? {} : { downwardAPI: { ...mode, ...downwardAPI } }),
    ...(projected === undefined ? {} : { projected: { ...mode, ...projected } }),
    ...(hostPath === undefined ? {} : { hostPath: { type: '', ...hostPath } }),
  };
}
