import { readFileSync } from 'node:fs';
import path from 'node:path';
import { StrakeError } from '../../base/index.ts';
import { parseRuntimeSpec, type RuntimeSpec } from '../../oci/index.ts';

export interface Bundle {
  /** absolute */
  readonly path: string;
  /** config.json as it was read */
  readonly config: string;
  readonly spec: RuntimeSpec;
  /** absolute */
  readonly rootfs: string;
}

/** The file is looked for in the bundle, as crun's --config is. */
export function readBundle(directory: string, configFile = 'config.json'): Bundle {
  const bundle = path.resolve(directory);
  let config: string;
  try {
    config = readFileSync(path.resolve(bundle, configFile), 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    throw new StrakeError('NotFound', `JSON specification file ${configFile} not found`, {
      cause,
      fields: { layer: 'runtime', bundle, remedy: `it is looked for in ${bundle}; \`strake-runc spec\` writes one` },
    });
  }
  const spec = parseRuntimeSpec(config);
  if (spec.root === undefined) throw new StrakeError('InvalidArgument', 'root: is missing', { fields: { layer: 'runtime', bundle } });
  return { path: bundle, config, spec, rootfs: path.resolve(bundle, spec.root.path) };
}
