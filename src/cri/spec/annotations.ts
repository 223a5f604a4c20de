import type { criPod } from '../../api/cri/index.ts';

/** What runtimes look at that want to know whose container it is (containerd's CRI plugin and cri-o use the same names). */
export function podAnnotations(podId: string, { metadata }: criPod.PodSandboxConfig): Readonly<Record<string, string>> {
  return {
    'io.kubernetes.cri.sandbox-id': podId,
    'io.kubernetes.cri.sandbox-namespace': metadata?.namespace ?? '',
    'io.kubernetes.cri.sandbox-uid': metadata?.uid ?? '',
    'io.kubernetes.cri.sandbox-name': metadata?.name ?? '',
  };
}

export function containerAnnotations(
  podId: string,
  config: criPod.PodSandboxConfig,
  container: { readonly name: string; readonly image: string },
): Readonly<Record<string, string>> {
  return {
    ...podAnnotations(podId, config),
    'io.kubernetes.cri.container-type': 'container',
    'io.kubernetes.cri.container-name': container.name,
    'io.kubernetes.cri.image-name': container.image,
  };
}
