import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { create, type DescMessage, fromBinary, type MessageShape } from '@bufbuild/protobuf';
import { runcOptions } from '../api/containerd/index.ts';
import { StrakeError } from '../base/index.ts';
import type { CheckpointOptions, OciRuntimeBinary } from '../core/tasks/index.ts';

/** An Any. */
export interface TypedOptions {
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

export type TaskOptions = Pick<runcOptions.Options, 'noPivotRoot' | 'noNewKeyring' | 'binaryName' | 'root' | 'systemdCgroup'>;

/** The options of containerd-shim-runc-v2, which are ours too. InvalidArgument for those of another shim. */
export function taskOptions(options: TypedOptions | undefined): TaskOptions {
  // A path to a configuration file, which we have none of: empty is what ctr and the kubelet's default send.
  const isEmpty = options?.value.length === 0 && options.typeUrl.endsWith('runtimeoptions.v1.Options');
  return decoded(runcOptions.OptionsSchema, isEmpty ? undefined : options);
}

/** What dockerd names when nobody told it another one: the standard's own, which we are. */
export const standardRuntime = 'runc';

/** The executable of another runtime; undefined: ours. NotFound when PATH has none of its name. */
export function binaryOf({ binaryName }: Pick<TaskOptions, 'binaryName'>): string | undefined {
  return binaryName === '' || binaryName === standardRuntime ? undefined : findProgram(binaryName);
}

/** The runtime that the options name by a path, or by another name than the standard one; undefined: ours. */
export function ociRuntimeOf(
  { binaryName, root, systemdCgroup, noPivotRoot, noNewKeyring }: TaskOptions,
  { namespace, runtimeRoot }: { readonly namespace: string; readonly runtimeRoot: string },
): OciRuntimeBinary | undefined {
  const binary = binaryOf({ binaryName });
  if (binary === undefined) return undefined;
  return {
    path: binary,
    root: path.join(root === '' ? runtimeRoot : root, namespace),
    systemdCgroup,
    noPivot: noPivotRoot,
    noNewKeyring,
  };
}

/** Of a checkpoint into `directory`; criu's log goes to the bundle where nothing else is said. */
export function checkpointOptions(directory: string, options: TypedOptions | undefined, bundle: string): CheckpointOptions {
  const { exit, openTcp, externalUnixSockets, terminal, fileLocks, workPath, imagePath } = decoded(runcOptions.CheckpointOptionsSchema, options);
  return {
    imagePath: directory || imagePath,
    workPath: workPath === '' ? path.join(bundle, 'criu-work') : workPath,
    leaveRunning: !exit,
    openTcp,
    externalUnixSockets,
    terminal,
    fileLocks,
  };
}

function decoded<Schema extends DescMessage>(schema: Schema, options: TypedOptions | undefined): MessageShape<Schema> {
  if (options === undefined || options.typeUrl === '') return create(schema);
  const type = options.typeUrl.replace(/^.*\//, '');
  if (type !== schema.typeName)
    throw new StrakeError('InvalidArgument', `options of the type ${type}: ours are ${schema.typeName}`, { fields: { layer: 'shim' } });
  try {
    return fromBinary(schema, options.value);
  } catch (cause) {
    throw new StrakeError('InvalidArgument', `options: not a ${type}`, { cause, fields: { layer: 'shim' } });
  }
}

function findProgram(name: string): string {
  const places = path.isAbsolute(name)
    ? [name]
    : (process.env['PATH'] ?? '').split(':').flatMap((directory) => (path.isAbsolute(directory) ? [path.join(directory, name)] : []));
  const found = places.find(isExecutable);
  if (found === undefined)
    throw new StrakeError('NotFound', `exec: "${name}": executable file not found in $PATH`, { fields: { layer: 'shim', operation: 'create' } });
  return found;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
