import { StrakeError } from '../base/index.ts';

export type Labels = Readonly<Record<string, string>>;

/** containerd's limit of a key and its value together (pkg/labels). */
const maxLabelBytes = 4096;
const toldKeyLength = 64;

/** These labels over the others; the empty text takes one away. A map without prototype, so that `__proto__` is a label like any other. */
export function mergeLabels(before: Labels, change: Labels): Labels {
  const merged = Object.assign(Object.create(null) as Record<string, string>, before);
  for (const [label, value] of Object.entries(change))
    if (value === '') delete merged[label];
    else merged[label] = value;
  return merged;
}

/** InvalidArgument for what containerd refuses; `what` is named before it, such as `info.Labels`. */
export function checkLabels(labels: Labels | undefined, what: string): void {
  for (const [key, value] of Object.entries(labels ?? {})) {
    const bytes = Buffer.byteLength(key) + Buffer.byteLength(value);
    if (bytes > maxLabelBytes)
      throw new StrakeError(
        'InvalidArgument',
        `${what}: label key and value length (${bytes} bytes) greater than maximum size (${maxLabelBytes} bytes), key: ${key.slice(0, toldKeyLength)}`,
        { fields: { layer: 'core' } },
      );
  }
}
