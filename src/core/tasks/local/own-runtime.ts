import { setTimeout as delay } from 'node:timers/promises';
import { StrakeError } from '../../../base/index.ts';
import { type CgroupDirectories, freezeOperations, type Op, readFreezer, readLiveLimits, updateOperations, v1DirectoryOf } from '../../../kernel/index.ts';
import type { ResourcesSpec, RuntimeSpec } from '../../../oci/index.ts';
import { compileExec, dumpOperation } from '../../../runtime/index.ts';
import { hostEnvironment } from '../host-environment.ts';
import type { CheckpointOptions } from '../tasks.ts';
import type { TaskContext } from './context.ts';
import type { ExecProgram, TaskDriver } from './driver.ts';

const freezeTimeoutMs = 10_000;
const lookEveryMs = 1;
/** A hierarchy that is still freezing is to be told again, or thawed for a moment (Documentation/cgroup-v1/freezer-subsystem.rst): a process that forks may slip through. */
const tellAgainMs = 200;

export interface OwnRuntimeOptions {
  readonly context: TaskContext;
  readonly id: string;
  readonly spec: RuntimeSpec;
  readonly cgroup: CgroupDirectories;
  /** Of the container's first process; not asked for before there is one. */
  readonly init: () => { readonly pid: number; readonly startTime: bigint };
}

/** Our own runtime, in this process: its programs and the container's cgroup. */
export class OwnRuntime implements TaskDriver {
  private readonly options: OwnRuntimeOptions;

  constructor(options: OwnRuntimeOptions) {
    this.options = options;
  }

  execOperations({ execId, dir, process, stdio, privileged }: ExecProgram): readonly Op[] {
    const { context, id, spec, cgroup, init } = this.options;
    const { v1, v2 } = cgroup;
    return compileExec(privileged ? withoutSeccomp(spec) : spec, process, {
      id,
      stdio: { kind: 'monitor', dir, ...stdio },
      start: { kind: 'connection' },
      machine: context.machine,
      init: init(),
      cgroup: { v1: v1.map(({ name, dir: at }) => ({ name, dir: at })), v2 },
      noNewKeyring: true,
      onWarning: (message) => context.log.warn(message, { container: id, exec: execId }),
    });
  }

  async freeze(frozen: boolean): Promise<void> {
    const { context, cgroup, id } = this.options;
    await context.launcher.run(freezeOperations(cgroup, frozen));
    const wanted = frozen ? 'frozen' : 'thawed';
    let told = performance.now();
    const deadline = told + freezeTimeoutMs;
    for (let state = readFreezer(cgroup); state !== wanted; state = readFreezer(cgroup)) {
      if (state === undefined)
        throw new StrakeError('FailedPrecondition', `cannot ${frozen ? 'pause' : 'resume'} ${id}: it has ended`, { fields: { layer: 'core' } });
      if (performance.now() > deadline) {
        await context.launcher.run(freezeOperations(cgroup, !frozen));
        throw new StrakeError('DeadlineExceeded', `${id} was not ${wanted} within ${freezeTimeoutMs} ms`, { fields: { layer: 'core' } });
      }
      if (frozen && performance.now() - told > tellAgainMs) {
        await context.launcher.run([...freezeOperations(cgroup, false), ...freezeOperations(cgroup, true)]);
        told = performance.now();
      }
      await delay(lookEveryMs);
    }
  }

  async update(resources: ResourcesSpec): Promise<void> {
    const { context, cgroup } = this.options;
    const { layout, launcher } = context;
    await launcher.run(updateOperations(layout, cgroup, resources, readLiveLimits(layout, cgroup), true));
  }

  async checkpoint({ imagePath, workPath, leaveRunning, openTcp, externalUnixSockets, terminal, fileLocks }: CheckpointOptions): Promise<void> {
    const { context, cgroup, spec, init } = this.options;
    const container = {
      pid: init().pid,
      // Where it is mounted, it is the container's own to know: criu looks there.
      rootfs: '/',
      annotations: spec.annotations ?? {},
      spec,
      freezer: v1DirectoryOf(cgroup, 'freezer') ?? cgroup.v2,
      environment: hostEnvironment(),
    };
    const flags = { tcpEstablished: openTcp, extUnixSk: externalUnixSockets, shellJob: terminal, fileLocks, autoDedup: false, lazyPages: false };
    const request = { imagePath, workPath, manageCgroupsMode: 'soft', flags, preDump: false, leaveRunning, tcpSkipInFlight: false, linkRemap: false };
    try {
      await context.launcher.run([dumpOperation(container, request)]);
    } catch (error) {
      if (!(error instanceof StrakeError) || error.fields.operation !== 'criu') throw error;
      const remedy = `criu says why in ${workPath ?? imagePath}/dump.log`;
      throw new StrakeError('Internal', error.message, { cause: error, fields: { ...error.fields, remedy } });
    }
  }

  /** The monitor has removed everything behind the exit. */
  async remove(): Promise<void> {}

  explain(error: unknown): unknown {
    return error;
  }
}

function withoutSeccomp(spec: RuntimeSpec): RuntimeSpec {
  if (spec.linux?.seccomp === undefined) return spec;
  const { seccomp: _dropped, ...linux } = spec.linux;
  return { ...spec, linux };
}
