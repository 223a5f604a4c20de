/** Containers that another OCI runtime makes (runc, crun, youki, runsc): its command line, under our monitors. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { errorMessage, isCode, StrakeError } from '../../../base/index.ts';
import { type CgroupDirectories, type Op, oomFile } from '../../../kernel/index.ts';
import { formatJson, type ProcessSpec, type ResourcesSpec, type RuntimeSpec } from '../../../oci/index.ts';
import { monitorOps } from '../../../runtime/index.ts';
import { hostEnvironment } from '../host-environment.ts';
import type { CheckpointOptions, CreateTask, OciRuntimeBinary, StdioOptions, TaskRootfs } from '../tasks.ts';
import type { TaskContext } from './context.ts';
import type { ExecProgram, TaskDriver } from './driver.ts';
import { mountRootfs } from './mount-rootfs.ts';

const commandTimeoutMs = 60_000;
const detachUnmount = 2; // umount2(2): MNT_DETACH
const maxLogBytes = 1 << 20;

export interface OciRuntimeOptions {
  readonly context: TaskContext;
  readonly id: string;
  /** The task directory. */
  readonly dir: string;
  /** Holds config.json, and rootfs/ where the root filesystem is mounted. */
  readonly bundle: string;
  readonly runtime: OciRuntimeBinary;
  readonly cgroup: CgroupDirectories;
  /** For sockets of terminals, whose paths must be short. */
  readonly execRoot: string;
}

export class OciRuntime implements TaskDriver {
  private readonly options: OciRuntimeOptions;

  constructor(options: OciRuntimeOptions) {
    this.options = options;
  }

  /** Writes the bundle's config.json where there is none: a caller that has a bundle has one. */
  createOperations({ spec, rootfs, stdio, restore, network }: Pick<CreateTask, 'spec' | 'rootfs' | 'stdio' | 'restore' | 'network'>): readonly Op[] {
    const { bundle, dir, runtime, cgroup, id } = this.options;
    const pidFile = path.join(dir, 'runtime.pid');
    const console = this.console(stdio);
    const root = path.join(bundle, 'rootfs');
    mkdirSync(root, { recursive: true, mode: 0o711 });
    const place = [
      ...['--bundle', bundle, '--pid-file', pidFile],
      ...(console === undefined ? [] : ['--console-socket', console]),
      ...(runtime.noPivot ? ['--no-pivot'] : []),
    ];
    this.writeConfig({ ...spec, ...(spec.process === undefined ? {} : { process: { ...spec.process, terminal: stdio.terminal, ...sizeOf(stdio) } }) });
    return [
      ...monitorOps({ kind: 'monitor', dir, ...stdio }, oomFile(cgroup) ?? ''),
      ...mountRootfs(shownRootfs(rootfs, path.resolve(bundle, spec.root?.path ?? '')), root),
      {
        op: 'oci_runtime',
        side: 'host',
        path: runtime.path,
        ...(restore === undefined
          ? {
              create: [...this.words(dir, 'create'), ...place, ...(runtime.noNewKeyring ? ['--no-new-keyring'] : []), id],
              start: [...this.words(dir, 'start'), id],
            }
          : { create: [], start: [...this.words(dir, 'restore'), ...place, '--detach', '--image-path', restore.imagePath, '--work-path', dir, id] }),
        env: hostEnvironment(),
        pidFile,
        ...(console === undefined ? {} : { console }),
        timeoutMs: commandTimeoutMs,
      },
      { op: 'reap', side: 'host' },
      ...(network?.cleanupOperations ?? []),
    ];
  }

  execOperations({ dir, process, stdio }: ExecProgram): readonly Op[] {
    const { id, runtime } = this.options;
    const pidFile = path.join(dir, 'runtime.pid');
    const description = path.join(dir, 'process.json');
    const console = this.console(stdio);
    writeFileSync(description, formatJson({ ...process, terminal: stdio.terminal, ...sizeOf(stdio) }), { mode: 0o600 });
    return [
      ...monitorOps({ kind: 'monitor', dir, ...stdio }, ''),
      {
        op: 'oci_runtime',
        side: 'host',
        path: runtime.path,
        create: [],
        start: [
          ...this.words(dir, 'exec'),
          ...['--process', description, '--detach', '--pid-file', pidFile],
          ...(console === undefined ? [] : ['--console-socket', console]),
          id,
        ],
        env: hostEnvironment(),
        pidFile,
        ...(console === undefined ? {} : { console }),
        timeoutMs: commandTimeoutMs,
      },
      { op: 'reap', side: 'host' },
    ];
  }

  async freeze(frozen: boolean): Promise<void> {
    await this.command(frozen ? 'pause' : 'resume', [this.options.id]);
  }

  async update(resources: ResourcesSpec): Promise<void> {
    await this.command('update', ['--resources', '-', this.options.id], formatJson(resources));
  }

  async checkpoint({ imagePath, workPath, leaveRunning, openTcp, externalUnixSockets, terminal, fileLocks }: CheckpointOptions): Promise<void> {
    mkdirSync(imagePath, { recursive: true, mode: 0o700 });
    await this.command('checkpoint', [
      ...['--image-path', imagePath],
      ...(workPath === undefined ? [] : ['--work-path', workPath]),
      ...(leaveRunning ? ['--leave-running'] : []),
      ...(openTcp ? ['--tcp-established'] : []),
      ...(externalUnixSockets ? ['--ext-unix-sk'] : []),
      ...(terminal ? ['--shell-job'] : []),
      ...(fileLocks ? ['--file-locks'] : []),
      this.options.id,
    ]);
  }

  /** Not by the pid: that of a sandboxed runtime is not the process's. */
  readonly kill = async (signal: number, all: boolean): Promise<void> => {
    await this.command('kill', [...(all ? ['--all'] : []), this.options.id, String(signal)]);
  };

  async remove(): Promise<void> {
    const { bundle, context } = this.options;
    try {
      await this.command('delete', ['--force', this.options.id]);
    } catch (error) {
      if (!isCode(error, 'NotFound')) throw error;
    } finally {
      await context.launcher.run([{ op: 'umount', side: 'host', path: path.join(bundle, 'rootfs'), flags: detachUnmount, ignore: 1 }]);
    }
  }

  /** containerd's words: the runtime's own last ones, behind the verb. */
  explain(error: unknown, verb: string, dir: string): unknown {
    if (!(error instanceof StrakeError) || error.fields.operation !== 'oci_runtime') return error;
    const restored = lastError(logOf(dir, 'restore'));
    if (restored !== undefined) return failure('restore', restored, error);
    return failure(verb, lastError(logOf(dir, verb)) ?? errorMessage(error), error);
  }

  /** Its log is made here, for root alone: a runtime would make one that whoever passes through the directory may read. */
  private words(dir: string, verb: string): readonly string[] {
    const { path: program, root, systemdCgroup } = this.options.runtime;
    const log = logOf(dir, verb);
    writeFileSync(log, '', { mode: 0o600, flag: 'a' });
    return [program, '--root', root, '--log', log, '--log-format', 'json', ...(systemdCgroup ? ['--systemd-cgroup'] : []), verb];
  }

  private async command(verb: string, args: readonly string[], stdin = ''): Promise<void> {
    const { context, dir, runtime } = this.options;
    const name = `${path.basename(runtime.path)} ${verb}`;
    try {
      await context.launcher.run([
        {
          op: 'hook',
          side: 'host',
          name,
          path: runtime.path,
          args: [...this.words(dir, verb), ...args],
          env: hostEnvironment(),
          state: Buffer.from(stdin),
          timeoutMs: commandTimeoutMs,
        },
      ]);
    } catch (error) {
      throw failure(verb, lastError(logOf(dir, verb)) ?? errorMessage(error), error);
    }
  }

  private console({ terminal }: StdioOptions): string | undefined {
    return terminal ? path.join(this.options.execRoot, `console-${randomBytes(6).toString('hex')}.sock`) : undefined;
  }

  private writeConfig(spec: RuntimeSpec): void {
    try {
      writeFileSync(path.join(this.options.bundle, 'config.json'), formatJson(spec), { mode: 0o600, flag: 'wx' });
    } catch (error) {
      if (!isCode(error, 'AlreadyExists')) throw error;
    }
  }
}

function sizeOf({ consoleSize }: StdioOptions): Pick<ProcessSpec, 'consoleSize'> {
  return consoleSize === undefined ? {} : { consoleSize: { height: consoleSize.rows, width: consoleSize.cols } };
}

/** A directory that the configuration does not name itself is bound where it looks. */
function shownRootfs(rootfs: TaskRootfs, named: string): TaskRootfs {
  return rootfs.type === 'directory' && rootfs.path !== named ? { type: 'bind', source: rootfs.path, readonly: false } : rootfs;
}

const logOf = (dir: string, verb: string): string => path.join(dir, `${verb}.log`);

/** The message of the last error in a log of the format json. */
function lastError(file: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').slice(-maxLogBytes);
  } catch {
    return undefined;
  }
  // An object a line (runc), or over several (crun).
  for (const [object] of [...text.matchAll(/\{(?:[^{}"]|"(?:\\.|[^"\\])*")*\}/gs)].toReversed()) {
    try {
      const { level, msg } = JSON.parse(object) as { readonly level?: unknown; readonly msg?: unknown };
      if (level === 'error' && typeof msg === 'string') return msg.trim();
    } catch {
      // Somebody else's line: a library of the runtime's has written on its log.
    }
  }
  return undefined;
}

/** What is gone says so in different words (containerd, process/utils.go, checkKillError). */
function failure(verb: string, words: string, cause: unknown): StrakeError {
  const gone = /process already finished|container not running|no such process|does not exist/i.test(words);
  return new StrakeError(
    gone ? 'NotFound' : /not paused|already paused/i.test(words) ? 'FailedPrecondition' : 'Internal',
    `OCI runtime ${verb} failed: ${words}`,
    { cause, fields: { layer: 'runtime', operation: verb } },
  );
}
