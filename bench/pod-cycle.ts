import { criImages, criLinux, criRuntime } from '../src/api/cri/index.ts';
import { type Client, connectGrpc } from '../src/rpc/grpc/index.ts';

/** The calls of a pod's life, in their order; each is timed. */
export const podSteps = ['RunPodSandbox', 'CreateContainer', 'StartContainer', 'ExecSync', 'StopPodSandbox', 'RemovePodSandbox'] as const;
export type PodStep = (typeof podSteps)[number];
export type PodTimes = Readonly<Record<PodStep, number>>;

/** Whether the pod has a network of its own, which plugins make, or the node's. */
export type PodNetworkMode = 'node' | 'pod';

/** As a cluster has it: 110 pods on a node, none waits so long. */
const timeoutMs = 60_000;

/** What the kubelet asks of a CRI for a pod with one container. */
export class PodCycle {
  readonly #runtime: Client<typeof criRuntime.RuntimeService>;
  readonly #images: Client<typeof criImages.ImageService>;
  readonly #image: string;
  /** Names what several CRIs on one machine would both call the same. */
  readonly #label: string;
  readonly #logDirectory: string;
  readonly close: () => void;

  /** `socket` as this process sees it, `logDirectory` as the CRI does. */
  constructor({
    label,
    socket,
    image,
    logDirectory,
  }: { readonly label: string; readonly socket: string; readonly image: string; readonly logDirectory: string }) {
    const connection = connectGrpc({ kind: 'unix', path: socket });
    this.#runtime = connection.client(criRuntime.RuntimeService);
    this.#images = connection.client(criImages.ImageService);
    this.#label = label;
    this.#image = image;
    this.#logDirectory = logDirectory;
    this.close = () => connection.close();
  }

  async pull(): Promise<void> {
    await this.#images.pullImage({ image: { image: this.#image } }, { timeoutMs });
  }

  /** A whole life; answers what each call took, in ms. */
  async live(name: string, network: PodNetworkMode): Promise<PodTimes> {
    const times: Partial<Record<PodStep, number>> = {};
    const timed = async <T>(step: PodStep, call: Promise<T>): Promise<T> => {
      const begun = performance.now();
      const answer = await call;
      times[step] = performance.now() - begun;
      return answer;
    };
    const runtime = this.#runtime;
    const sandboxConfig = this.#sandbox(name, network);
    const { podSandboxId } = await timed('RunPodSandbox', runtime.runPodSandbox({ config: sandboxConfig }, { timeoutMs }));
    const config = {
      metadata: { name: 'sleeper', attempt: 0 },
      image: { image: this.#image },
      command: ['sleep', '100000'],
      logPath: 'sleeper.log',
      linux: { resources: { cpuShares: 100n, memoryLimitInBytes: 64n << 20n }, securityContext: { namespaceOptions: namespaces(network) } },
    };
    const { containerId } = await timed('CreateContainer', runtime.createContainer({ podSandboxId, config, sandboxConfig }, { timeoutMs }));
    await timed('StartContainer', runtime.startContainer({ containerId }, { timeoutMs }));
    const { exitCode } = await timed('ExecSync', runtime.execSync({ containerId, cmd: ['true'], timeout: 10n }, { timeoutMs }));
    if (exitCode !== 0) throw new Error(`${this.#label}: exec ended with ${exitCode}`);
    await timed('StopPodSandbox', runtime.stopPodSandbox({ podSandboxId }, { timeoutMs }));
    await timed('RemovePodSandbox', runtime.removePodSandbox({ podSandboxId }, { timeoutMs }));
    return times as PodTimes;
  }

  #sandbox(name: string, network: PodNetworkMode) {
    return {
      metadata: { name, uid: `${this.#label}-${name}`, namespace: 'bench', attempt: 0 },
      logDirectory: `${this.#logDirectory}/${name}`,
      labels: { app: 'bench' },
      linux: { cgroupParent: `/bench-${this.#label}`, securityContext: { namespaceOptions: namespaces(network) } },
    };
  }
}

/** The kubelet's defaults, but for the network. */
function namespaces(network: PodNetworkMode) {
  const { CONTAINER, NODE, POD } = criLinux.NamespaceMode;
  return { network: network === 'node' ? NODE : POD, pid: CONTAINER, ipc: POD };
}
