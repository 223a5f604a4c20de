import { mountOf } from '../base/index.ts';
import type { RuntimeSpec } from '../oci/index.ts';
import { parentMountMatters } from './compile/root-propagation.ts';

/** The option `rootfsParentMount` of compileCreate for a root at `directory`: read only where the configuration's propagation needs it. */
export function rootfsParentMount(spec: RuntimeSpec, directory: string): { readonly rootfsParentMount?: string } {
  return parentMountMatters(spec) ? { rootfsParentMount: mountOf(directory).target } : {};
}
