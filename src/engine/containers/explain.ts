import { existsSync } from 'node:fs';
import { formatOp, opTable } from '../../kernel/index.ts';
import type { RuntimeSpec } from '../../oci/index.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import { buildContainer, type CreateContainer, type Undo, undoAll } from './create.ts';
import { connectNetwork, taskRequest } from './task-request.ts';

/** What a `run` would do (Strake's own addition to the Engine API). */
export interface Explanation {
  /** Who hands over to whom, from the client down. */
  readonly chain: readonly string[];
  readonly spec: RuntimeSpec;
  /** One operation a line. */
  readonly program: readonly string[];
  /** The system calls of each operation, in the same order, as native/ops.def declares them. */
  readonly calls: readonly string[];
}

/** Builds the container as `create` does and compiles it as `start` does; runs nothing, tells nobody, and takes everything away again. */
export async function explainContainer(context: ContainerContext, request: CreateContainer): Promise<Explanation> {
  const undo: Undo = [];
  try {
    const volumes = namedVolumes(context, request);
    const container = await buildContainer(context, request, undo);
    undo.push(...volumes.map((name) => () => context.volumes.remove(name)));
    // Sources that `-v` would make are not made.
    container.change({ mounts: container.document.mounts.map((mount) => (mount.type === 'bind' ? { ...mount, createSource: false } : mount)) });
    const network = await connectNetwork(context, container);
    undo.push(() => context.networks.disconnect(container.id));
    const task = await taskRequest(context, container, network);
    const program = context.tasks.plan(task);
    return {
      chain: chainOf(container),
      spec: task.spec,
      program: program.map(formatOp),
      calls: program.map(({ op }) => opTable[op].calls),
    };
  } finally {
    await undoAll(undo);
  }
}

/** Named volumes that building the container would bring into being. */
function namedVolumes(context: ContainerContext, { hostConfig }: CreateContainer): readonly string[] {
  const fromBinds = (hostConfig.Binds ?? [])
    .map((bind) => bind.split(':'))
    .flatMap(([source = '', target]) => (target === undefined || source.startsWith('/') ? [] : [source]));
  const fromMounts = ((hostConfig as { readonly Mounts?: readonly { readonly Type: string; readonly Source?: string }[] | null }).Mounts ?? []).flatMap(
    ({ Type, Source }) => (Type === 'volume' && Source !== undefined && Source !== '' ? [Source] : []),
  );
  return [...new Set([...fromBinds, ...fromMounts])].filter((name) => !existsSync(context.volumes.mountpoint(name)));
}

function chainOf({ id, document: { config, hostConfig } }: Container): readonly string[] {
  return [
    'client → engine: POST /containers/create, /attach, /wait, /start (Docker Engine API)',
    `engine: ${config.Image} as ${id.slice(0, 12)}, network ${hostConfig.NetworkMode} (in process)`,
    'engine → core: snapshot, task (in process)',
    'core → runtime: OCI configuration → program (in process)',
    'runtime → strake-init zygote: the program (unix socket)',
    'zygote → monitor: fork; the monitor stays with the container',
    'monitor → first process: clone3, the operations of side `init`, execve',
  ];
}
