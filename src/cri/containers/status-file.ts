import { mkdirSync, readFileSync } from 'node:fs';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { criLinux } from '../../api/cri/index.ts';
import { replaceFile } from '../../base/index.ts';
import { formatJson, parseJson } from '../../oci/index.ts';
import { type CriPaths, containerPaths } from '../paths.ts';
import type { Container, ContainerLifecycle } from './container.ts';

interface StatusDocument {
  readonly lifecycle: Readonly<Record<string, unknown>>;
  /** base64 */
  readonly resources?: string;
}

/** Writes down what became of a container: its record says only how it was made. */
export function saveStatus(paths: CriPaths, { id, lifecycle, resources }: Container): void {
  const { directory, status } = containerPaths(paths, id);
  const document: StatusDocument = {
    lifecycle: Object.fromEntries(Object.entries(lifecycle).map(([name, value]) => [name, typeof value === 'bigint' ? String(value) : value])),
    ...(resources === undefined ? {} : { resources: Buffer.from(toBinary(criLinux.LinuxContainerResourcesSchema, resources)).toString('base64') }),
  };
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  replaceFile(status, formatJson(document));
}

/** Undefined where nothing was written down: it was made, and no more. Throws for a file that cannot be read. */
export function readStatus(paths: CriPaths, id: string): Pick<Container, 'lifecycle' | 'resources'> | undefined {
  const { status } = containerPaths(paths, id);
  let text: string;
  try {
    text = readFileSync(status, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const { lifecycle, resources } = parseJson(text, status) as StatusDocument;
  const times = Object.fromEntries(
    ['startedAt', 'finishedAt'].flatMap((name) => (lifecycle[name] === undefined ? [] : [[name, BigInt(String(lifecycle[name]))]])),
  );
  return {
    lifecycle: { ...lifecycle, ...times } as unknown as ContainerLifecycle,
    resources: resources === undefined ? undefined : fromBinary(criLinux.LinuxContainerResourcesSchema, Buffer.from(resources, 'base64')),
  };
}
