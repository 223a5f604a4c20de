/** JSON as Kubernetes' API writes it: times in whole seconds. */
export function kubernetesJson(value: unknown): string {
  return `${JSON.stringify(value, (_key, part: unknown) => (typeof part === 'string' && isoTime.test(part) ? part.replace(/\.\d+Z$/, 'Z') : part))}\n`;
}

const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
