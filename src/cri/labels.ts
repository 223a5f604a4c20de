/** containerd's: by it `ctr` and others tell containers of pods from others. */
export const kindLabel = 'io.cri-containerd.kind';

/** core/label-change.ts: what a store takes of a name and its value together. */
const maxLabelBytes = 4096;

/** Those that a store takes, and the kind. What is too long stays in the configuration alone, as with containerd. */
export function withKind(labels: Readonly<Record<string, string>>, kind: 'container' | 'sandbox'): Readonly<Record<string, string>> {
  const fitting = Object.entries(labels).filter(([key, value]) => Buffer.byteLength(key) + Buffer.byteLength(value) <= maxLabelBytes);
  return { ...Object.fromEntries(fitting), [kindLabel]: kind };
}

/** All that a selector asks for. */
export function hasLabels(labels: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>> = {}): boolean {
  return Object.entries(wanted).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value);
}
