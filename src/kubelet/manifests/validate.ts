import type { V1Container, V1LifecycleHandler, V1Pod, V1PodSpec, V1Probe, V1ResourceRequirements, V1Volume } from '../kubernetes.ts';
import { isQuantity } from '../quantity.ts';

/** A name as of a host (RFC 1123), of at most 63 bytes: containers, volumes, namespaces. */
const labelName = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
/** Such names with points between: pods, configMaps. */
export const objectName = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const sysctlName = /^[a-z0-9]([-_a-z0-9]*[a-z0-9])?([./][a-z0-9]([-_a-z0-9]*[a-z0-9])?)*$/;
const maxPort = 65535;

/** Volumes that this kubelet makes. */
export const volumeKinds = ['emptyDir', 'hostPath', 'configMap', 'secret', 'downwardAPI', 'projected', 'persistentVolumeClaim', 'image'] as const;

type Report = (path: string, why: string) => void;

/** Everything that is wrong with a pod that has its defaults: a line each, with the field's path. An empty list: it can be run. */
export function validatePod(pod: V1Pod): readonly string[] {
  const errors: string[] = [];
  const report: Report = (path, why) => void errors.push(`${path}: ${why}`);
  const { metadata, spec } = pod;
  if (!metadata?.name) report('metadata.name', 'is required');
  else if (!objectName.test(metadata.name)) report('metadata.name', `${JSON.stringify(metadata.name)} is no name of lower-case letters, digits, "-" and "."`);
  if (!labelName.test(metadata?.namespace ?? ''))
    report('metadata.namespace', `${JSON.stringify(metadata?.namespace)} is no name of lower-case letters, digits and "-"`);
  if (spec === undefined) report('spec', 'is required');
  else validateSpec(spec, report);
  return errors;
}

function validateSpec(spec: V1PodSpec, report: Report): void {
  const { containers, initContainers = [], volumes = [] } = spec;
  if (containers.length === 0) report('spec.containers', 'is required');
  oneOf(spec.restartPolicy, ['Always', 'OnFailure', 'Never'], 'spec.restartPolicy', report);
  oneOf(spec.dnsPolicy, ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'], 'spec.dnsPolicy', report);
  if (spec.dnsPolicy === 'None' && (spec.dnsConfig?.nameservers ?? []).length === 0) report('spec.dnsConfig.nameservers', 'is required when dnsPolicy is None');
  notNegative(spec.terminationGracePeriodSeconds, 'spec.terminationGracePeriodSeconds', report);
  if (spec.activeDeadlineSeconds !== undefined && spec.activeDeadlineSeconds < 1) report('spec.activeDeadlineSeconds', 'must be at least 1');
  if (spec.hostname !== undefined && !labelName.test(spec.hostname)) report('spec.hostname', 'is no name of a host');
  if (spec.hostPID === true && spec.shareProcessNamespace === true) report('spec.shareProcessNamespace', 'cannot be had with hostPID');
  if (spec.hostUsers === false && (spec.hostPID === true || spec.hostIPC === true || spec.hostNetwork === true))
    report('spec.hostUsers', 'a user namespace cannot be had with namespaces of the host');
  if ((spec.ephemeralContainers ?? []).length > 0) report('spec.ephemeralContainers', 'cannot be in a manifest');
  for (const [index, sysctl] of (spec.securityContext?.sysctls ?? []).entries())
    if (!sysctlName.test(sysctl.name)) report(`spec.securityContext.sysctls[${index}].name`, `${JSON.stringify(sysctl.name)} is no name of a sysctl`);

  unique(
    volumes.map(({ name }) => name),
    'spec.volumes',
    report,
  );
  for (const [index, volume] of volumes.entries()) validateVolume(volume, `spec.volumes[${index}]`, report);
  unique(
    [...initContainers, ...containers].map(({ name }) => name),
    'spec.containers',
    report,
  );
  const names = new Set(volumes.map(({ name }) => name));
  for (const [index, container] of initContainers.entries())
    validateContainer(container, { path: `spec.initContainers[${index}]`, volumes: names, isInit: true }, report);
  for (const [index, container] of containers.entries())
    validateContainer(container, { path: `spec.containers[${index}]`, volumes: names, isInit: false }, report);
}

interface ContainerPlace {
  readonly path: string;
  readonly volumes: ReadonlySet<string>;
  readonly isInit: boolean;
}

function validateContainer(container: V1Container, { path, volumes, isInit }: ContainerPlace, report: Report): void {
  if (!labelName.test(container.name ?? '')) report(`${path}.name`, `${JSON.stringify(container.name)} is no name of lower-case letters, digits and "-"`);
  if (!container.image || container.image.trim() !== container.image) report(`${path}.image`, 'is required');
  oneOf(container.imagePullPolicy, ['Always', 'IfNotPresent', 'Never'], `${path}.imagePullPolicy`, report);
  oneOf(container.terminationMessagePolicy, ['File', 'FallbackToLogsOnError'], `${path}.terminationMessagePolicy`, report);
  if (container.restartPolicy !== undefined && !(isInit && container.restartPolicy === 'Always'))
    report(`${path}.restartPolicy`, isInit ? 'can be Always alone' : 'can be set for init containers alone');
  const isSidecar = isInit && container.restartPolicy === 'Always';
  for (const name of ['livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
    const probe = container[name];
    if (probe === undefined) continue;
    if (isInit && !isSidecar) report(`${path}.${name}`, 'an init container that ends has no probes');
    validateProbe(probe, `${path}.${name}`, report);
    if (name !== 'readinessProbe' && probe.successThreshold !== 1) report(`${path}.${name}.successThreshold`, 'must be 1');
  }
  if (isInit && !isSidecar && container.lifecycle !== undefined) report(`${path}.lifecycle`, 'an init container that ends has no hooks');
  for (const hook of ['postStart', 'preStop'] as const) {
    const handler = container.lifecycle?.[hook];
    if (handler !== undefined) validateHandler(handler, ['exec', 'httpGet', 'tcpSocket', 'sleep'], `${path}.lifecycle.${hook}`, report);
  }
  for (const [index, { name, value, valueFrom }] of (container.env ?? []).entries()) {
    if (!/^[ -<>-~]+$/.test(name ?? '')) report(`${path}.env[${index}].name`, `${JSON.stringify(name)} is no name of a variable`);
    if (value && valueFrom !== undefined) report(`${path}.env[${index}].valueFrom`, 'cannot be given beside a value');
    if (valueFrom !== undefined && Object.keys(valueFrom).length !== 1) report(`${path}.env[${index}].valueFrom`, 'must have exactly one source');
  }
  validatePorts(container, path, report);
  unique(
    (container.volumeMounts ?? []).map(({ mountPath }) => mountPath),
    `${path}.volumeMounts`,
    report,
  );
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const at = `${path}.volumeMounts[${index}]`;
    if (!volumes.has(mount.name)) report(`${at}.name`, `there is no volume ${JSON.stringify(mount.name)}`);
    if (!mount.mountPath) report(`${at}.mountPath`, 'is required');
    if (mount.subPath && mount.subPathExpr) report(`${at}.subPathExpr`, 'cannot be given beside subPath');
    for (const sub of [mount.subPath ?? '', mount.subPathExpr ?? ''])
      if (sub.startsWith('/') || sub.split('/').includes('..')) report(`${at}.subPath`, 'must be a path inside the volume');
    if (mount.mountPropagation !== undefined) oneOf(mount.mountPropagation, ['None', 'HostToContainer', 'Bidirectional'], `${at}.mountPropagation`, report);
    if (mount.mountPropagation === 'Bidirectional' && container.securityContext?.privileged !== true)
      report(`${at}.mountPropagation`, 'Bidirectional is for privileged containers');
    if (mount.recursiveReadOnly !== undefined) oneOf(mount.recursiveReadOnly, ['Disabled', 'IfPossible', 'Enabled'], `${at}.recursiveReadOnly`, report);
  }
  validateResources(container.resources ?? {}, `${path}.resources`, report);
  const { privileged, allowPrivilegeEscalation } = container.securityContext ?? {};
  if (privileged === true && allowPrivilegeEscalation === false)
    report(`${path}.securityContext`, 'a privileged container cannot be kept from gaining privileges');
}

function validatePorts(container: V1Container, path: string, report: Report): void {
  const { ports = [] } = container;
  unique(
    ports.flatMap(({ name }) => (name === undefined ? [] : [name])),
    `${path}.ports`,
    report,
  );
  for (const [index, port] of ports.entries()) {
    const at = `${path}.ports[${index}]`;
    if (!isPort(port.containerPort)) report(`${at}.containerPort`, `must be from 1 to ${maxPort}`);
    if (port.hostPort !== undefined && !isPort(port.hostPort)) report(`${at}.hostPort`, `must be from 1 to ${maxPort}`);
    oneOf(port.protocol, ['TCP', 'UDP', 'SCTP'], `${at}.protocol`, report);
  }
}

function validateResources(resources: V1ResourceRequirements, path: string, report: Report): void {
  for (const list of ['limits', 'requests'] as const)
    for (const [name, quantity] of Object.entries(resources[list] ?? {}))
      if (!isQuantity(quantity)) report(`${path}.${list}.${name}`, `${JSON.stringify(quantity)} is no quantity`);
}

function validateProbe(probe: V1Probe, path: string, report: Report): void {
  validateHandler(probe, ['exec', 'httpGet', 'tcpSocket', 'grpc'], path, report);
  for (const name of ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'] as const)
    notNegative(probe[name], `${path}.${name}`, report);
}

function validateHandler(handler: V1LifecycleHandler | V1Probe, kinds: readonly string[], path: string, report: Report): void {
  const given = kinds.filter((kind) => (handler as Record<string, unknown>)[kind] !== undefined);
  if (given.length !== 1) report(path, `must have exactly one of ${kinds.join(', ')}`);
  if (handler.exec !== undefined && (handler.exec.command ?? []).length === 0) report(`${path}.exec.command`, 'is required');
  if (handler.httpGet !== undefined) oneOf(handler.httpGet.scheme, ['HTTP', 'HTTPS'], `${path}.httpGet.scheme`, report);
  for (const kind of ['httpGet', 'tcpSocket'] as const) {
    const port = handler[kind]?.port;
    if (handler[kind] !== undefined && typeof port !== 'string' && !isPort(port))
      report(`${path}.${kind}.port`, `must be from 1 to ${maxPort}, or the name of a port`);
  }
}

function validateVolume(volume: V1Volume, path: string, report: Report): void {
  if (!labelName.test(volume.name ?? '')) report(`${path}.name`, `${JSON.stringify(volume.name)} is no name of lower-case letters, digits and "-"`);
  const sources = Object.keys(volume).filter((key) => key !== 'name');
  const [source] = sources;
  if (sources.length !== 1 || source === undefined) report(path, 'must have exactly one source');
  else if (!volumeKinds.some((kind) => kind === source)) report(`${path}.${source}`, `is not made by this kubelet, which has ${volumeKinds.join(', ')}`);
  if (volume.hostPath !== undefined && !volume.hostPath.path?.startsWith('/')) report(`${path}.hostPath.path`, 'must be an absolute path');
  if (volume.hostPath?.path?.split('/').includes('..')) report(`${path}.hostPath.path`, 'must not contain ".."');
  if (volume.emptyDir !== undefined) oneOf(volume.emptyDir.medium ?? '', ['', 'Memory'], `${path}.emptyDir.medium`, report);
  const limit = volume.emptyDir?.sizeLimit;
  if (limit !== undefined && !isQuantity(limit)) report(`${path}.emptyDir.sizeLimit`, `${JSON.stringify(limit)} is no quantity`);
  const items = [...(volume.configMap?.items ?? []), ...(volume.secret?.items ?? []), ...(volume.downwardAPI?.items ?? [])];
  for (const source of volume.projected?.sources ?? []) {
    items.push(...(source.configMap?.items ?? []), ...(source.secret?.items ?? []), ...(source.downwardAPI?.items ?? []));
    if (source.configMap === undefined && source.secret === undefined && source.downwardAPI === undefined)
      report(`${path}.projected.sources`, 'can be configMap, secret and downwardAPI: there is no API server here that gives out tokens');
  }
  for (const item of items)
    if (!item.path || item.path.startsWith('/') || item.path.split('/').some((part) => part === '..' || part === ''))
      report(path, `${JSON.stringify(item.path)} must be a path inside the volume`);
}

function isPort(port: unknown): boolean {
  return typeof port === 'number' && port >= 1 && port <= maxPort;
}

function oneOf(value: string | undefined, allowed: readonly string[], path: string, report: Report): void {
  if (!allowed.includes(value ?? '')) report(path, `${JSON.stringify(value)} is none of ${allowed.map((one) => JSON.stringify(one)).join(', ')}`);
}

function notNegative(value: number | undefined, path: string, report: Report): void {
  if (value !== undefined && value < 0) report(path, 'must not be negative');
}

function unique(names: readonly string[], path: string, report: Report): void {
  for (const [index, name] of names.entries()) if (name !== undefined && names.indexOf(name) !== index) report(path, `${JSON.stringify(name)} is there twice`);
}
