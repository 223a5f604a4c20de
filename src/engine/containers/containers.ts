import type {
  ContainerChange,
  ContainerCreateResponse,
  ContainerInspect,
  ContainerPathStat,
  ContainerStats,
  ContainerSummary,
  ContainersPruneResponse,
  ContainerTopResponse,
  ExecCreateRequest,
  ExecInspect,
} from '../../api/docker/index.ts';
import { AccountReader } from '../../core/index.ts';
import { archivePath, type ContainerArchive, type ExtractRequest, extractToContainer, statContainerPath } from './archive/index.ts';
import { type AttachRequest, type AttachSession, attachContainer } from './attach.ts';
import { containerChanges, exportContainer } from './changes.ts';
import { type CommitResult, type CommitSource, commitContainer } from './commit.ts';
import type { ContainerExit } from './container.ts';
import type { ContainerContext } from './context.ts';
import { type CreateContainer, createContainer } from './create.ts';
import { createExec, type ExecStartOptions, inspectExec, resizeExec, type StartedExec, startExec } from './exec.ts';
import { type Explanation, explainContainer } from './explain.ts';
import { inspectContainer } from './inspect.ts';
import { killContainer } from './kill.ts';
import { type ListOptions, listContainers } from './list.ts';
import { containerLogs, type LogsRequest } from './logs.ts';
import { pauseContainer, unpauseContainer } from './pause.ts';
import { type PruneFilters, pruneContainers } from './prune.ts';
import { recoverContainers } from './recover.ts';
import { ContainerRegistry } from './registry.ts';
import { type RemoveOptions, removeContainer } from './remove.ts';
import { renameContainer } from './rename.ts';
import { resizeContainer } from './resize.ts';
import { rememberProfiles } from './spec/index.ts';
import { startContainer } from './start.ts';
import { containerStats, type StatsRequest } from './stats.ts';
import { restartContainer, type StopOptions, stopContainer } from './stop.ts';
import { topContainer } from './top/index.ts';
import { type UpdateContainer, updateContainer } from './update.ts';
import { type WaitCondition, waitForContainer } from './wait.ts';

export type ContainersOptions = Omit<ContainerContext, 'registry' | 'accounts'>;

/** The Engine's containers: one method a verb of the API. A container is named by id, name or unique id prefix. */
export class Containers {
  private readonly context: ContainerContext;

  constructor(options: ContainersOptions) {
    this.context = {
      ...options,
      security: rememberProfiles(options.security),
      registry: new ContainerRegistry(),
      accounts: new AccountReader(options.rootFiles),
    };
  }

  /** Once, before the API is served and after the tasks were recovered. */
  recover(): Promise<void> {
    return recoverContainers(this.context);
  }

  create(request: CreateContainer): Promise<ContainerCreateResponse> {
    return createContainer(this.context, request);
  }

  /** What creating and starting it would do; nothing is run, and nothing stays. */
  explain(request: CreateContainer): Promise<Explanation> {
    return explainContainer(this.context, request);
  }

  start(reference: string): Promise<boolean> {
    return startContainer(this.context, reference);
  }

  stop(reference: string, options: StopOptions): Promise<boolean> {
    return stopContainer(this.context, reference, options);
  }

  restart(reference: string, options: StopOptions): Promise<void> {
    return restartContainer(this.context, reference, options);
  }

  kill(reference: string, signal: string): Promise<void> {
    return killContainer(this.context, reference, signal);
  }

  pause(reference: string): Promise<void> {
    return pauseContainer(this.context, reference);
  }

  unpause(reference: string): Promise<void> {
    return unpauseContainer(this.context, reference);
  }

  wait(reference: string, condition: WaitCondition, signal: AbortSignal): Promise<ContainerExit> {
    return waitForContainer(this.context, reference, condition, signal);
  }

  attach(reference: string, request: AttachRequest): AttachSession {
    return attachContainer(this.context, reference, request);
  }

  resize(reference: string, rows: number, cols: number): Promise<void> {
    return resizeContainer(this.context, reference, rows, cols);
  }

  logs(reference: string, request: LogsRequest): Promise<AsyncIterable<Uint8Array>> {
    return containerLogs(this.context, reference, request);
  }

  hasTerminal(reference: string): boolean {
    return this.context.registry.get(reference).document.config.Tty;
  }

  inspect(reference: string, options: { readonly size: boolean }): Promise<ContainerInspect> {
    return inspectContainer(this.context, reference, options);
  }

  list(options: ListOptions): Promise<readonly ContainerSummary[]> {
    return listContainers(this.context, options);
  }

  top(reference: string, psArguments: string): Promise<ContainerTopResponse> {
    return topContainer(this.context, reference, psArguments);
  }

  stats(reference: string, request: StatsRequest): AsyncIterable<ContainerStats> {
    return containerStats(this.context, reference, request);
  }

  rename(reference: string, name: string): Promise<void> {
    return renameContainer(this.context, reference, name);
  }

  update(reference: string, change: UpdateContainer): Promise<void> {
    return updateContainer(this.context, reference, change);
  }

  remove(reference: string, options: RemoveOptions): Promise<void> {
    return removeContainer(this.context, reference, options);
  }

  prune(filters: PruneFilters, hasLabel: (labels: Readonly<Record<string, string>>, wanted: string) => boolean): Promise<ContainersPruneResponse> {
    return pruneContainers(this.context, filters, hasLabel);
  }

  /** What lies at a path of its files, running or not. */
  statPath(reference: string, path: string, signal: AbortSignal): Promise<ContainerPathStat> {
    return statContainerPath(this.context, reference, path, signal);
  }

  /** A path of its files and all below it, as a tar stream. */
  archive(reference: string, path: string, signal: AbortSignal): Promise<ContainerArchive> {
    return archivePath(this.context, reference, path, signal);
  }

  extract(reference: string, request: ExtractRequest): Promise<void> {
    return extractToContainer(this.context, reference, request);
  }

  /** What differs from its image. */
  changes(reference: string, signal: AbortSignal): Promise<readonly ContainerChange[]> {
    return containerChanges(this.context, reference, signal);
  }

  /** Its root filesystem without volumes, as a tar stream. */
  export(reference: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    return exportContainer(this.context, reference, signal);
  }

  commit(reference: string, options: { readonly pause: boolean }, make: (source: CommitSource) => Promise<CommitResult>): Promise<CommitResult> {
    return commitContainer(this.context, reference, options, make);
  }

  createExec(reference: string, request: ExecCreateRequest): string {
    return createExec(this.context, reference, request);
  }

  startExec(execId: string, options: ExecStartOptions): Promise<StartedExec> {
    return startExec(this.context, execId, options);
  }

  inspectExec(execId: string): ExecInspect {
    return inspectExec(this.context, execId);
  }

  resizeExec(execId: string, rows: number, cols: number): Promise<void> {
    return resizeExec(this.context, execId, rows, cols);
  }

  counts(): { readonly running: number; readonly paused: number; readonly stopped: number } {
    const statuses = this.context.registry.list().map(({ lifecycle }) => lifecycle.status);
    const running = statuses.filter((status) => status === 'running' || status === 'restarting').length;
    const paused = statuses.filter((status) => status === 'paused').length;
    return { running, paused, stopped: statuses.length - running - paused };
  }

  /** Who keeps an image from being removed. */
  imageUsers(imageId: string): readonly { readonly id: string; readonly running: boolean }[] {
    const users = this.context.registry
      .list()
      .filter(({ document }) => document.imageId === imageId || document.mounts.some((mount) => mount.type === 'image' && mount.imageId === imageId));
    return users.map(({ id, running }) => ({ id, running }));
  }
}
