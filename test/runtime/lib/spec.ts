import type { RuntimeSpec } from '../../../src/oci/index.ts';
import { defaultSpec } from '../../../src/runtime/index.ts';

/** A configuration that a test changes in place. Numbers may be bigints; fields that no type knows may be added. */
export interface TestSpec {
  process: { args: string[]; env: string[]; cwd: string; [field: string]: unknown };
  root: { path: string; readonly?: boolean };
  mounts: { destination: string; type?: string; source?: string; options?: string[]; [field: string]: unknown }[];
  linux: { namespaces: { type: string; path?: string }[]; resources: Record<string, unknown>; [field: string]: unknown };
  [field: string]: unknown;
}

export type Patch = (spec: TestSpec) => void;

/** What `strake-runc spec` writes, or another, with a writable root, no terminal, and an init that sleeps. */
export function testSpec(patch: Patch = () => undefined, from: RuntimeSpec = defaultSpec()): TestSpec {
  const spec = structuredClone(from) as unknown as TestSpec;
  spec.process['terminal'] = false;
  spec.process.args = ['sleep', '1000'];
  spec.root = { path: 'rootfs' };
  patch(spec);
  return spec;
}
