import type { Mount, ProcessSpec, RuntimeSpec } from '../../oci/index.ts';

/** Where the program is in an otherwise empty root. */
const program = '/pause';

export interface PauseProcess {
  readonly process: ProcessSpec;
  readonly root: NonNullable<RuntimeSpec['root']>;
  readonly mounts: readonly Mount[];
}

/** A process that holds a pod's namespaces: strake-init (`pauseProgram`), which waits for its end. It has no rights, and no files but its own program. */
export function pauseProcess(pauseProgram: string): PauseProcess {
  return {
    process: {
      user: { uid: 0, gid: 0 },
      args: [program, 'pause'],
      env: [],
      cwd: '/',
      capabilities: { bounding: [], effective: [], permitted: [] },
      noNewPrivileges: true,
    },
    root: { path: 'rootfs', readonly: true },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
      { destination: program, type: 'bind', source: pauseProgram, options: ['bind', 'ro', 'nosuid', 'nodev'] },
    ],
  };
}
