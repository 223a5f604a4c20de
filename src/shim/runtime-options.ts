import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { runcOptions } from '../api/containerd/index.ts';
import { StrakeError } from '../base/index.ts';
import type { OciRuntimeBinary } from '../core/tasks/index.ts';

/** An Any. */
interface TypedOptions {
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

export type TaskOptions = Pick<runcOptions.Options, 'noPivotRoot' | 'noNewKeyring' | 'binaryName' | 'root' | 'systemdCgroup'>;

const none: TaskOptions = { noPivotRoot: false, noNewKeyring: false, binaryName: '', root: '', systemdCgroup: false };

/** The options of containerd-shim-runc-v2, which are ours too. InvalidArgument for those of another shim. */
export function taskOptions(options: TypedOptions | undefined): TaskOptions {
  if (options === undefined || options.typeUrl === '') return none;
  const type = options.typeUrl.replace(/^.*\//, '');
  // A path to a configuration file, which we have none of: empty is what ctr and the kubelet's default send.
  if (type === 'runtimeoptions.v1.Options' && options.value.length === 0) return none;
  if (type !== runcOptions.OptionsSchema.typeName)
    throw new StrakeError('InvalidArgument', `options of the type ${type}: ours are ${runcOptions.OptionsSchema.typeName}`, { fields: { layer: 'shim' } });
  try {
    return fromBinary(runcOptions.OptionsSchema, options.value);
  } catch (cause) {
    throw new StrakeError('InvalidArgument', `options: not a ${type}`, { cause, fields: { layer: 'shim' } });
  }
}

/** What dockerd names when nobody told it another one: the standard's own, which we are. */
export const standardRuntime = 'runc';

/** The runtime that the options name by a path, or by another name than the standard one; undefined: ours. */
export function ociRuntimeOf(
  { binaryName, root, systemdCgroup, noPivotRoot, noNewKeyring }: TaskOptions,
  { namespace, runtimeRoot }: { readonly namespace: string; readonly runtimeRoot: string },
): OciRuntimeBinary | undefined {
  if (binaryName === '' || binaryName === standardRuntime) return undefined;
  return {
    path: findProgram(binaryName),
    root: path.join(root === '' ? runtimeRoot : root, namespace),
    systemdCgroup,
    noPivot: noPivotRoot,
    noNewKeyring,
  };
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
