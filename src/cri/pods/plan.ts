import { criLinux, type criPod } from '../../api/cri/index.ts';
import type { NewType } from '../../core/index.ts';
import type { RuntimeHandler } from '../handlers.ts';
import { invalid } from '../refusals.ts';
import { refuseSelinux } from '../spec/confinement.ts';
import { userMappings } from '../spec/namespaces.ts';
import { podSysctls } from '../spec/sysctls.ts';

const { NamespaceMode: Mode } = criLinux;
/** utsname(2) */
const maxHostname = 64;

/** What a pod is made of, as its configuration says. */
export interface PodPlan {
  /** Namespaces that the pod has for itself. */
  readonly types: readonly NewType[];
  /** It has a process of its own from the beginning; else only once containers want to share theirs. */
  readonly needsPause: boolean;
  /** Its containers share processes with the machine, those that do share. */
  readonly onMachine: boolean;
  readonly hostname: string | undefined;
  readonly sysctls: Readonly<Record<string, string>>;
  readonly mappings: ReturnType<typeof userMappings>;
}

/** InvalidArgument for what no pod can be. */
export function podPlan(config: criPod.PodSandboxConfig, handler: RuntimeHandler): PodPlan {
  if (config.metadata === undefined) throw invalid('sandbox config must include metadata');
  if (config.hostname.length > maxHostname || /[\s/\0]/.test(config.hostname)) throw invalid(`invalid hostname ${JSON.stringify(config.hostname)}`);
  const context = config.linux?.securityContext;
  const options = context?.namespaceOptions;
  refuseSelinux(context?.selinuxOptions);
  const mappings = userMappings(options?.usernsOptions);
  const ownNetwork = options?.network !== Mode.NODE;
  const types: readonly NewType[] = [...(ownNetwork ? (['network', 'uts'] as const) : []), ...(options?.ipc === Mode.NODE ? [] : (['ipc'] as const))];
  return {
    types,
    needsPause: handler.needsPause || mappings !== undefined,
    onMachine: options?.pid === Mode.NODE,
    hostname: ownNetwork && config.hostname !== '' ? config.hostname : undefined,
    sysctls: podSysctls(config),
    mappings,
  };
}
