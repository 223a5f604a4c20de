import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { runcOptions } from '../../api/containerd/index.ts';
import { isCode, StrakeError } from '../../base/index.ts';
import type { TypedValue } from '../../core/index.ts';
import { standardRuntime } from '../../shim/index.ts';
import type { HostedTask, NewTask, TaskHost } from './task-host.ts';

/** What stands for a runtime instead of this process. */
export type RuntimeSetting = { readonly shim: string } | { readonly binary: string };

export interface TaskHostsOptions {
  readonly inProcess: TaskHost;
  readonly shims?: TaskHost;
  /** By the name of a runtime. */
  readonly runtimes: Readonly<Record<string, RuntimeSetting>>;
}

/** Ours by its own name, and by the one that ctr, dockerd and the kubelet ask for when nobody told them. */
const ownNames = new Set(['io.containerd.strake.v2', 'io.containerd.runc.v2']);

export function isOwnRuntime(name: string): boolean {
  return ownNames.has(name);
}

/** The name of a runtime decides who runs a task. */
export class TaskHosts implements TaskHost {
  private readonly options: TaskHostsOptions;

  constructor(options: TaskHostsOptions) {
    this.options = options;
  }

  async create(task: NewTask): Promise<HostedTask> {
    const { host, ...chosen } = this.choose(task);
    return await host.create({ ...task, ...chosen });
  }

  async info(runtime: string, options: TypedValue | undefined, signal: AbortSignal): ReturnType<TaskHost['info']> {
    const chosen = this.choose({ runtime, options });
    return await chosen.host.info(chosen.runtime, chosen.options, signal);
  }

  get(namespace: string, id: string): HostedTask {
    try {
      return this.options.inProcess.get(namespace, id);
    } catch (error) {
      if (!isCode(error, 'NotFound') || this.options.shims === undefined) throw error;
      return this.options.shims.get(namespace, id);
    }
  }

  list(namespace: string): readonly HostedTask[] {
    return [...this.options.inProcess.list(namespace), ...(this.options.shims?.list(namespace) ?? [])];
  }

  /** Who runs it, under which name and with which options there. */
  private choose({ runtime, options }: Pick<NewTask, 'runtime' | 'options'>): Pick<NewTask, 'runtime' | 'options'> & { readonly host: TaskHost } {
    const { inProcess, shims, runtimes } = this.options;
    const setting = Object.hasOwn(runtimes, runtime) ? runtimes[runtime] : undefined;
    if (setting !== undefined && 'shim' in setting) return { host: theirs(shims, setting.shim), runtime: setting.shim, options };
    if (setting !== undefined) return { host: inProcess, runtime, options: withBinary(options, setting.binary) };
    return { host: ownNames.has(runtime) ? inProcess : theirs(shims, runtime), runtime, options };
  }
}

function isStandard(name: string): boolean {
  return name === '' || name === standardRuntime;
}

function theirs(shims: TaskHost | undefined, runtime: string): TaskHost {
  if (shims === undefined) throw new StrakeError('NotFound', `runtime ${JSON.stringify(runtime)}: no shims are run here`, { fields: { layer: 'containerd' } });
  return shims;
}

/** A binary that the options name themselves stays, unless it is but the standard one's name. */
function withBinary(options: TypedValue | undefined, binaryName: string): TypedValue {
  const schema = runcOptions.OptionsSchema;
  if (options !== undefined && options.typeUrl.replace(/^.*\//, '') !== schema.typeName)
    throw new StrakeError('InvalidArgument', `options of the type ${options.typeUrl} for the runtime ${binaryName}`, { fields: { layer: 'containerd' } });
  const given = options === undefined ? create(schema) : fromBinary(schema, options.value);
  return { typeUrl: schema.typeName, value: toBinary(schema, { ...given, binaryName: isStandard(given.binaryName) ? binaryName : given.binaryName }) };
}
