/** `STEP: WHAT` that ours shows otherwise than containerd 2.1, and why. */
const filtered = 'images are filtered by the name that crictl gives; containerd answers with all of them';
const exact = 'the class of the error is named, where containerd says Unknown';
const notFound = 'what is not in the container is NotFound, where containerd says Unknown';
const words = 'each says it in its own words';
const figures = 'swap is told as well; how much of a processor is used follows from two askings, where containerd reads on its own account';

export const differences: Readonly<Record<string, string>> = {
  'version, info, config: conditions': 'ours has no deprecated settings to warn of',
  'version, info, config: info': 'each tells of its own settings and network',
  'pull, images, inspecti, rmi: pull not a name': exact,
  'pull, images, inspecti, rmi: images gcr.io/k8s-staging-cri-tools/test-image-tags': filtered,
  'pull, images, inspecti, rmi: images --digests --no-trunc --pinned gcr.io/k8s-staging-cri-tools/test-image-tags': filtered,
  'pull, images, inspecti, rmi: images --quiet --no-trunc gcr.io/k8s-staging-cri-tools/test-image-tags:1': filtered,
  'pull, images, inspecti, rmi: images --verbose gcr.io/k8s-staging-cri-tools/test-image-tags:1': filtered,
  'runp, pods, inspectp, stopp, rmp: runp <work>/crictl/again.json': 'a name that is taken is AlreadyExists, where containerd says FailedPrecondition',
  'runp, pods, inspectp, stopp, rmp: runp --runtime absent <work>/crictl/other.json': exact,
  'create, start, ps, inspect, stop, rm: start <id>': exact,
  'create, start, ps, inspect, stop, rm: inspect': 'the image is named by its id too, and the signal that stops it; no limits are told where there are none',
  'how containers end: start <id>': notFound,
  'exec at once: exec --sync <id> absent': notFound,
  'exec over spdy: exec --transport spdy <id> absent': words,
  'exec over websocket: exec --transport websocket <id> absent': words,
  'logs: logs --reopen <id>': exact,
  'stats, statsp, metrics: stats': figures,
  'stats, statsp, metrics: statsp': figures,
  'stats, statsp, metrics: metricdescs': 'containerd 2.1 has no metrics',
  'stats, statsp, metrics: metricsp': 'containerd 2.1 has no metrics',
  'update: resources': 'the limit of swap is told as it was given; without one there is no swap, as with containerd',
  'update: update --memory 1 <id>': exact,
  'run, and rm, rmp, rmi of all: images registry.k8s.io/e2e-test-images/busybox:1.29-2': filtered,
};
