/** Files of the Container Device Interface (cncf-tags/container-device-interface, SPEC.md): which files, devices and hooks a device's vendor wants in a container. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { errorMessage } from '../../base/index.ts';
import type { Hook, IntelRdt } from '../../oci/index.ts';
import { invalid, refused } from '../refusals.ts';

export interface ContainerEdits {
  readonly env?: readonly string[];
  readonly deviceNodes?: readonly DeviceNode[];
  readonly mounts?: readonly { readonly hostPath: string; readonly containerPath: string; readonly type?: string; readonly options?: readonly string[] }[];
  readonly hooks?: readonly (Hook & { readonly hookName: string })[];
  readonly additionalGids?: readonly number[];
  readonly intelRdt?: IntelRdt;
}

export interface DeviceNode {
  readonly path: string;
  readonly hostPath?: string;
  readonly type?: string;
  readonly major?: number;
  readonly minor?: number;
  readonly fileMode?: number;
  readonly permissions?: string;
  readonly uid?: number;
  readonly gid?: number;
}

/** Of one file: its devices, and what every one of them brings along. */
export interface CdiFile {
  readonly path: string;
  /** `VENDOR/CLASS` */
  readonly kind: string;
  readonly devices: ReadonlyMap<string, ContainerEdits>;
  readonly common: ContainerEdits;
}

/** What is found later stands for what was found before. */
export const cdiDirectories: readonly string[] = ['/etc/cdi', '/var/run/cdi'];

const maxFileBytes = 4 << 20;
const kindPattern = /^[a-zA-Z][\w.-]*\/[a-zA-Z][\w.-]*$/;
const deviceName = /^[a-zA-Z0-9][\w.:-]*$/;

/** The files of a directory, in the order of their names; none where there is no such directory. `broken` hears of one that cannot be used, which is left out. */
export function readCdiDirectory(directory: string, broken: (file: string, error: unknown) => void): readonly CdiFile[] {
  let names: readonly string[];
  try {
    names = readdirSync(directory).filter((name) => /\.(?:json|ya?ml)$/.test(name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw refused('InvalidArgument', `devices of ${directory} cannot be read: ${errorMessage(error)}`, {}, error);
  }
  return names.toSorted().flatMap((name) => {
    const file = path.join(directory, name);
    try {
      return [readFile(file)];
    } catch (error) {
      broken(file, error);
      return [];
    }
  });
}

function readFile(file: string): CdiFile {
  if (statSync(file).size > maxFileBytes) throw invalid(`${file} is longer than ${maxFileBytes} bytes`);
  return parseCdi(readFileSync(file, 'utf8'), file);
}

/** JSON is YAML, too. */
export function parseCdi(text: string, file: string): CdiFile {
  const document = objectOf(parse(text), file);
  const kind = textOf(document['kind'], `${file}: kind`);
  if (!kindPattern.test(kind)) throw invalid(`${file}: kind ${JSON.stringify(kind)} is not VENDOR/CLASS`);
  const devices = listOf(document['devices'], `${file}: devices`).map((entry, index) => {
    const device = objectOf(entry, `${file}: devices[${index}]`);
    const name = textOf(device['name'], `${file}: devices[${index}].name`);
    if (!deviceName.test(name)) throw invalid(`${file}: ${JSON.stringify(name)} is no name of a device`);
    return [name, editsOf(device['containerEdits'], `${file}: devices[${index}].containerEdits`)] as const;
  });
  return { path: file, kind, devices: new Map(devices), common: editsOf(document['containerEdits'] ?? {}, `${file}: containerEdits`) };
}

function editsOf(value: unknown, at: string): ContainerEdits {
  const edits = objectOf(value, at);
  const entries = (name: string) => listOf(edits[name], `${at}.${name}`);
  const named = (name: string, ...fields: readonly string[]) => {
    for (const [index, entry] of entries(name).entries())
      for (const field of fields) textOf(objectOf(entry, `${at}.${name}[${index}]`)[field], `${at}.${name}[${index}].${field}`);
  };
  for (const [index, entry] of entries('env').entries())
    if (!/^[^=\0]+=[^\0]*$/.test(textOf(entry, `${at}.env[${index}]`))) throw invalid(`${at}.env[${index}] is not NAME=VALUE`);
  named('deviceNodes', 'path');
  named('mounts', 'hostPath', 'containerPath');
  named('hooks', 'hookName', 'path');
  for (const [index, gid] of entries('additionalGids').entries())
    if (!Number.isSafeInteger(gid) || (gid as number) < 0 || (gid as number) >= 2 ** 31) throw invalid(`${at}.additionalGids[${index}] is no group`);
  return edits as ContainerEdits;
}

function objectOf(value: unknown, at: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(`${at} is no object`);
  return value as Readonly<Record<string, unknown>>;
}

function listOf(value: unknown, at: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalid(`${at} is no list`);
  return value;
}

function textOf(value: unknown, at: string): string {
  if (typeof value !== 'string' || value === '') throw invalid(`${at} is no text`);
  return value;
}
