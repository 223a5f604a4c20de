import { readFileSync } from 'node:fs';
import os from 'node:os';
import { criRuntime } from '../../api/cri/index.ts';
import { isCode, type Logger } from '../../base/index.ts';
import { DirectLauncher, programFile } from '../../kernel/index.ts';
import { type Cri, connectCri, defaultBackoff, KernelMounts, Kubelet, type Node } from '../../kubelet/index.ts';
import { defaultMaskedPaths, defaultReadonlyPaths } from '../../runtime/default-spec.ts';
import type { NodeFlags } from './flags.ts';

export interface ComposedKubelet extends AsyncDisposable {
  readonly kubelet: Kubelet;
  readonly cri: Cri;
}

const firstAnswerMs = 10_000;

/** A kubelet over the runtime at the flags' socket, which must answer. */
export async function composeKubelet(flags: NodeFlags, endsOthers: boolean, log: Logger): Promise<ComposedKubelet> {
  await using cleanup = new AsyncDisposableStack();
  const connection = cleanup.use(connectCri(flags.cri));
  const { runtimeHandlers } = await connection.runtime.status({}, { timeoutMs: firstAnswerMs });
  const recursive = new Set(runtimeHandlers.filter(({ features }) => features?.recursiveReadOnlyMounts).map(({ name }) => name));
  const kubelet = cleanup.use(
    new Kubelet({
      cri: connection,
      node: await readNode(flags, connection),
      mounts: new KernelMounts(new DirectLauncher({ initPath: programFile('strake-init') })),
      restartBackoff: flags.restartBackoff,
      pullBackoff: defaultBackoff,
      logs: flags.logs,
      log,
      endsOthers,
      recursiveReadOnly: (handler) => recursive.has(handler),
    }),
  );
  const owned = cleanup.move();
  return { kubelet, cri: connection, [Symbol.asyncDispose]: async () => await owned.disposeAsync() };
}

async function readNode(flags: NodeFlags, { runtime }: Cri): Promise<Node> {
  const { runtimeName } = await runtime.version({}, { timeoutMs: firstAnswerMs });
  return {
    name: flags.nodeName,
    runtimeName,
    hostIPs: [flags.nodeIP ?? firstAddress()],
    rootDir: flags.rootDir,
    podLogsDir: flags.podLogsDir,
    resolvConf: flags.resolvConf,
    clusterDns: { servers: flags.clusterDns, domain: flags.clusterDomain },
    cgroupDriver: await cgroupDriver(runtime),
    cgroupRoot: flags.cgroupRoot,
    seccompDefault: flags.seccompDefault,
    seccompDir: `${flags.rootDir}/seccomp`,
    maskedPaths: defaultMaskedPaths,
    readonlyPaths: defaultReadonlyPaths,
    cpus: os.availableParallelism(),
    memoryBytes: memoryBytes(),
  };
}

async function cgroupDriver(runtime: Cri['runtime']): Promise<Node['cgroupDriver']> {
  try {
    const { linux } = await runtime.runtimeConfig({}, { timeoutMs: firstAnswerMs });
    return linux?.cgroupDriver === criRuntime.CgroupDriver.SYSTEMD ? 'systemd' : 'cgroupfs';
  } catch (error) {
    // Runtimes from before the question was there have directories unless they are told otherwise.
    if (isCode(error, 'Unimplemented')) return 'cgroupfs';
    throw error;
  }
}

/** The first address of the machine that others reach it at. */
function firstAddress(): string {
  const addresses = Object.values(os.networkInterfaces()).flatMap((interfaces) => interfaces ?? []);
  return addresses.find(({ internal, family }) => !internal && family === 'IPv4')?.address ?? '127.0.0.1';
}

function memoryBytes(): bigint {
  const kib = /^MemTotal:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
  return BigInt(kib ?? 0) * 1024n;
}
