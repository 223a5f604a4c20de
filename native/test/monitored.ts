import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type AttachFlags, MonitorAttachment, TaskConnection, ZygoteLauncher } from '../../src/kernel/launch/index.ts';
import type { Op } from '../../src/kernel/program/index.ts';
import { strakeInit } from './harness.ts';

export const monitorFlags = { terminal: 1, stdin: 2, stdinOnce: 4, inherit: 8, null: 16 } as const;
export const environment = ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'];

export interface ProcessOptions {
  readonly flags?: number;
  readonly log?: string;
  readonly cri?: boolean;
  readonly maxSize?: number;
  readonly maxFiles?: number;
  readonly oomFile?: string;
  readonly waitStart?: boolean;
  readonly cloneFlags?: number;
  /** Where else the stdio leads. */
  readonly stdio?: readonly Op[];
  readonly inside?: readonly Op[];
  readonly cleanup?: readonly Op[];
}

/** A process of the host behind a monitor in `dir`. */
export function monitored(dir: string, argv: readonly string[], options: ProcessOptions = {}): Op[] {
  return [
    {
      op: 'monitor',
      side: 'host',
      dir,
      flags: options.flags ?? 0,
      logPath: options.log ?? '',
      logDriver: options.cri ? 1 : 0,
      logMaxSize: options.maxSize ?? 0,
      logMaxFiles: options.maxFiles ?? 1,
      oomFile: options.oomFile ?? '',
    },
    ...(options.stdio ?? []),
    { op: 'clone', side: 'host', flags: options.cloneFlags ?? 0 },
    ...(options.inside ?? []),
    { op: 'lookup_exec', side: 'init', file: argv[0] ?? '', env: environment },
    ...(options.waitStart ? [{ op: 'wait_start', side: 'init' } as const] : []),
    { op: 'exec', side: 'init', argv, env: environment },
    { op: 'reap', side: 'host' },
    ...(options.cleanup ?? []),
  ];
}

export const shell = (script: string) => ['sh', '-c', script];

/** A zygote of its own and a directory for its tasks; both go with `dispose`. */
export class World implements AsyncDisposable {
  readonly dir = mkdtempSync(path.join(os.tmpdir(), 'strake-monitor-'));
  readonly launcher = new ZygoteLauncher({ initPath: strakeInit, socketPath: path.join(this.dir, 'zygote.sock') });
  private count = 0;

  path(name: string): string {
    return path.join(this.dir, name);
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  /** Launches `argv`; its task directory is a new one. */
  async launch(argv: readonly string[], options: ProcessOptions = {}): Promise<Task> {
    this.count += 1;
    const dir = this.path(`task${this.count}`);
    const { connection, report } = await this.launcher.launch(monitored(dir, argv, options));
    return new Task(dir, connection, report.initPid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.launcher[Symbol.asyncDispose]();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export class Task {
  readonly dir: string;
  readonly connection: TaskConnection;
  readonly pid: number;

  constructor(dir: string, connection: TaskConnection, pid: number) {
    this.dir = dir;
    this.connection = connection;
    this.pid = pid;
  }

  async attach(flags: Partial<AttachFlags> = {}): Promise<MonitorAttachment> {
    return await MonitorAttachment.open(path.join(this.dir, 'monitor.sock'), { stdin: false, stdout: true, stderr: true, ...flags });
  }

  /** Attaches first, so that no output is missed; for a process that waits for its start. */
  async attachAndStart(flags: Partial<AttachFlags> = {}): Promise<MonitorAttachment> {
    const attachment = await this.attach(flags);
    await this.connection.start();
    return attachment;
  }

  async connect(): Promise<TaskConnection> {
    return await TaskConnection.connect(path.join(this.dir, 'monitor.sock'));
  }

  async code(): Promise<number> {
    const { code } = await this.connection.exited;
    this.connection.close();
    return code;
  }
}

export async function collect(attachment: MonitorAttachment): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const output = { stdout: '', stderr: '' };
  for await (const { stream, data } of attachment.output) output[stream] += data.toString();
  return output;
}

/** Polls for what no event tells. Fails after 5 s. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
