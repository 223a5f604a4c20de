import type { criLinux } from '../../api/cri/index.ts';
import { chooseCapabilities, normaliseCapabilities } from '../../core/index.ts';

const all = 'ALL';

export interface PodCapabilities {
  readonly capabilities: readonly string[];
  /** Which a process that is not root has, too. */
  readonly ambient: readonly string[];
}

/** Kubernetes's: what is added is there unless it is dropped by its own name, whatever comes with ALL. What the machine lacks is left out of ALL, and of a privileged container. */
export function podCapabilities(context: criLinux.LinuxContainerSecurityContext | undefined, available: readonly string[]): PodCapabilities {
  if (context?.privileged) return { capabilities: available, ambient: [] };
  const add = normaliseCapabilities('capabilities.add', context?.capabilities?.addCapabilities ?? []);
  const drop = normaliseCapabilities('capabilities.drop', context?.capabilities?.dropCapabilities ?? []);
  const ambient = normaliseCapabilities('capabilities.addAmbient', context?.capabilities?.addAmbientCapabilities ?? []);
  const named = (names: readonly string[]) => names.filter((name) => name !== all);
  const base = drop.includes(all) ? [] : chooseCapabilities({ privileged: false, add: add.includes(all) ? [all] : [], drop: [], available });
  const capabilities = [...new Set([...base, ...named(add), ...named(ambient)])].filter((name) => !named(drop).includes(name));
  return { capabilities, ambient: named(ambient).filter((name) => capabilities.includes(name)) };
}
