import { StrakeError } from '../../base/index.ts';
import type { LogOptions } from '../../core/tasks/index.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import { logPath } from './paths.ts';

const units: Readonly<Record<string, number>> = { '': 1, b: 1, k: 1 << 10, m: 1 << 20, g: 1 << 30 };

/** The json-file of a container with `max-size` and `max-file`; undefined with the driver `none`. */
export function logOptions(context: Pick<ContainerContext, 'directory'>, container: Container): LogOptions | undefined {
  const path = logPath(context, container);
  if (path === '') return undefined;
  const { Config: config } = container.document.hostConfig.LogConfig;
  return { path, driver: 'json-file', maxSizeBytes: parseSize(config['max-size'] ?? ''), maxFiles: parseCount(config['max-file'] ?? '1') };
}

function parseSize(text: string): number {
  if (text === '' || text === '-1') return 0;
  const match = /^(\d+)([bkmg]?)b?$/i.exec(text);
  if (match === null) throw new StrakeError('InvalidArgument', `invalid max-size: ${JSON.stringify(text)}`);
  return Number(match[1]) * (units[(match[2] ?? '').toLowerCase()] ?? 1);
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new StrakeError('InvalidArgument', 'max-file cannot be less than 1');
  return Number(text);
}
