import type { ContainerSummary } from '../../api/docker/index.ts';
import { StrakeError } from '../../base/index.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import { endpoints, mountPoints } from './inspect.ts';
import { ended } from './lifecycle.ts';
import { portSummaries } from './port-summaries.ts';
import { containerSizes } from './sizes.ts';
import { statusText } from './status-text.ts';

/** The filters of a request; see server/query.ts. */
export interface ListFilters {
  get(name: string): readonly string[];
  has(name: string): boolean;
  any(name: string, test: (value: string) => boolean): boolean;
  labels(labels: Readonly<Record<string, string>>): boolean;
}

export interface ListOptions {
  /** Those that do not run too. */
  readonly all: boolean;
  /** The newest so many, whether they run or not. */
  readonly limit?: number;
  readonly size: boolean;
  readonly filters: ListFilters;
}

const statuses = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'];

/** Newest first. */
export async function listContainers(context: ContainerContext, options: ListOptions): Promise<readonly ContainerSummary[]> {
  const { filters } = options;
  for (const status of filters.get('status')) if (!statuses.includes(status)) throw invalidFilter('status', status);
  const exitCodes = filters.get('exited').map((text) => {
    if (!/^-?\d+$/.test(text)) throw invalidFilter('exited', text);
    return Number(text);
  });
  const newestFirst = context.registry.list().toSorted((a, b) => (a.document.createdAt < b.document.createdAt ? 1 : -1));
  const matches = await matcher(context, filters, exitCodes);
  const everyState = options.all || options.limit !== undefined || filters.has('status') || exitCodes.length > 0;
  const wanted = newestFirst.filter((container) => (everyState || container.running || container.lifecycle.status === 'restarting') && matches(container));
  return await Promise.all(wanted.slice(0, options.limit).map(async (container) => await summarize(context, container, options.size)));
}

async function matcher(context: ContainerContext, filters: ListFilters, exitCodes: readonly number[]): Promise<(container: Container) => boolean> {
  const createdOf = (key: string) => filters.get(key).map((reference) => context.registry.get(reference).document.createdAt);
  const before = createdOf('before');
  const since = createdOf('since');
  const ancestors = new Set<string>();
  for (const name of filters.get('ancestor')) {
    const image = await context.images.forContainer(name).catch(() => undefined);
    if (image !== undefined) ancestors.add(image.id);
  }
  return ({ id, name, document, lifecycle }) =>
    filters.any('id', (value) => id.startsWith(value)) &&
    filters.any('name', (value) => matchesName(value, name)) &&
    filters.labels(document.config.Labels) &&
    filters.any('status', (value) => lifecycle.status === value) &&
    (exitCodes.length === 0 || (['exited', 'dead'].includes(lifecycle.status) && exitCodes.includes(ended(lifecycle).exitCode))) &&
    filters.any('ancestor', () => ancestors.has(document.imageId)) &&
    before.every((time) => document.createdAt < time) &&
    since.every((time) => document.createdAt > time) &&
    filters.any('health', (value) => value === 'none') &&
    filters.any('is-task', (value) => value === 'false') &&
    filters.any('network', (value) =>
      Object.entries(endpoints({ document, running: true } as Container)).some(([network, { NetworkID }]) => network === value || NetworkID.startsWith(value)),
    ) &&
    filters.any('volume', (value) =>
      document.mounts.some(
        (mount) => mount.destination === value || (mount.type === 'volume' && mount.name === value) || (mount.type === 'bind' && mount.source === value),
      ),
    ) &&
    filters.any('publish', (value) =>
      Object.values(document.network.ports).some((bindings) => bindings?.some(({ HostPort }) => HostPort === value.split('/')[0])),
    ) &&
    filters.any('expose', (value) => Object.hasOwn(document.config.ExposedPorts ?? {}, value.includes('/') ? value : `${value}/tcp`));
}

/** A regular expression, with or without the leading slash, as docker matches. */
function matchesName(value: string, name: string): boolean {
  try {
    const expression = new RegExp(value);
    return expression.test(name) || expression.test(`/${name}`);
  } catch {
    return name.includes(value);
  }
}

async function summarize(context: ContainerContext, container: Container, size: boolean): Promise<ContainerSummary> {
  const { document, id, lifecycle } = container;
  return {
    Id: id,
    Names: [`/${document.name}`],
    Image: document.config.Image,
    ImageID: document.imageId,
    Command: [document.path, ...document.args.map((arg) => (/\s/.test(arg) ? `'${arg}'` : arg))].join(' '),
    Created: Math.floor(Date.parse(document.createdAt) / 1000),
    Ports: portSummaries(container),
    ...(size ? await containerSizes(context, container) : {}),
    Labels: document.config.Labels,
    State: lifecycle.status,
    Status: statusText(lifecycle),
    HostConfig: { NetworkMode: document.hostConfig.NetworkMode },
    NetworkSettings: { Networks: endpoints(container) },
    Mounts: mountPoints(context, container),
  };
}

function invalidFilter(name: string, value: string): StrakeError {
  return new StrakeError('InvalidArgument', `invalid filter '${name}=${value}'`);
}
