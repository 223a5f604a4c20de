import { pauseProcess } from '../../core/tasks/index.ts';
import { formatJson, type Namespace, parseJson, parseRuntimeSpec, type RuntimeSpec } from '../../oci/index.ts';
import { ociVersion } from '../../runtime/index.ts';

const newNamespaces = ['network', 'ipc', 'uts', 'pid', 'mount'] as const;

export interface SandboxSpecInput {
  /** What the client sent; absent: nothing is asked for. */
  readonly given: RuntimeSpec | undefined;
  /** A network namespace to join; empty: a new one. */
  readonly netnsPath: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly hasRootfs: boolean;
  /** strake-init */
  readonly pauseProgram: string;
  /** Below the root of the cgroups. */
  readonly cgroupsPath: string;
}

/**
 * What holds a sandbox: the process of its specification where it came with a root filesystem, else one of ours that waits, without rights, in an empty root. Namespaces, cgroup, host name and the
 * like are the specification's in both.
 */
export function sandboxSpec({ given, netnsPath, annotations, hasRootfs, pauseProgram, cgroupsPath }: SandboxSpecInput): RuntimeSpec {
  const asked = given?.linux?.namespaces ?? [];
  const types: readonly Namespace[] = asked.length > 0 ? asked : newNamespaces.map((type) => ({ type }));
  const namespaces = types.map((namespace) => (namespace.type === 'network' && netnsPath !== '' ? { ...namespace, path: netnsPath } : namespace));
  const spec: RuntimeSpec = {
    ...given,
    ociVersion: given?.ociVersion ?? ociVersion,
    annotations: { ...given?.annotations, ...annotations },
    linux: { ...given?.linux, cgroupsPath: given?.linux?.cgroupsPath ?? cgroupsPath, namespaces },
  };
  if (hasRootfs) return checked(spec);
  return checked({ ...spec, ...pauseProcess(pauseProgram) });
}

/** Undefined for none. It is not whole before it has its namespaces: what is made of it is checked. */
export function givenSpec(config: string | undefined): RuntimeSpec | undefined {
  return config === undefined ? undefined : (parseJson(config, 'config.json') as RuntimeSpec);
}

function checked(spec: RuntimeSpec): RuntimeSpec {
  return parseRuntimeSpec(formatJson(spec));
}
