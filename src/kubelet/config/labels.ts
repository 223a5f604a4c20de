import type { V1Container } from '../kubernetes.ts';
import type { Pod } from '../pods/pod.ts';

/** The names by which a kubelet finds its pods and containers again, as Kubernetes' own has them. */
const podNameLabel = 'io.kubernetes.pod.name';
const podNamespaceLabel = 'io.kubernetes.pod.namespace';
export const podUidLabel = 'io.kubernetes.pod.uid';
const containerNameLabel = 'io.kubernetes.container.name';
/** On a sandbox: the manifest as JSON, so that a pod whose file is gone can still be ended as it asked for. */
export const manifestAnnotation = 'strake.io/pod-manifest';

/** On a sandbox: the root directory of the kubelet whose pod it is; others leave it alone. */
export const ownerAnnotation = 'strake.io/kubelet';

export function podLabels({ name, namespace, uid }: Pod): Record<string, string> {
  return { [podNameLabel]: name, [podNamespaceLabel]: namespace, [podUidLabel]: uid };
}

export function sandboxLabels(pod: Pod): Record<string, string> {
  return { ...pod.labels, ...podLabels(pod) };
}

export function containerLabels(pod: Pod, container: V1Container): Record<string, string> {
  return { ...podLabels(pod), [containerNameLabel]: container.name };
}
