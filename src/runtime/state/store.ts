import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { codeOfErrno, namesIn, StrakeError } from '../../base/index.ts';
import type { CgroupDirectories } from '../../kernel/index.ts';
import { type Hooks, parseJson } from '../../oci/index.ts';
import { checkContainerId } from './container-id.ts';
import type { ProcessIdentity } from './process-identity.ts';

/** What the command line keeps of a container between two calls; `config.json` as read at create lies beside it. */
export interface StoredContainer {
  readonly ociVersion: string;
  readonly id: string;
  /** absent while it is being created */
  readonly init?: ProcessIdentity;
  /** the front of the `create` or `run` at work, as long as there is no init */
  readonly creator?: ProcessIdentity | undefined;
  readonly bundle: string;
  readonly rootfs: string;
  /** ISO 8601 */
  readonly created: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly owner: string;
  /** where its cgroup is; no directory at all where cgroups are not managed */
  readonly cgroup: CgroupDirectories;
  /** its pid namespace is its own: all of its processes end with its first one */
  readonly privatePids: boolean;
  /** where it is in resctrl */
  readonly resctrl?: { readonly tasks: readonly string[]; readonly remove: readonly string[] } | undefined;
  readonly noNewKeyring: boolean;
  /** for `start` and `delete` */
  readonly hooks?: Hooks | undefined;
}

/** Directories `<root>/<id>/`: config.json, state.json (replaced atomically), exec.fifo while the container waits for `start`, programs of verbs to come. */
export class StateStore {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  directory(id: string): string {
    return path.join(this.root, checkContainerId(id));
  }

  startFifo(id: string): string {
    return path.join(this.directory(id), 'exec.fifo');
  }

  /** Claims the id. AlreadyExists when it is taken. */
  claim(id: string, config: string): void {
    const directory = this.directory(id);
    try {
      makeDirectory(directory, this.root);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw withRemedy(cause, `mkdir ${directory}`);
      throw new StrakeError('AlreadyExists', 'container with given ID already exists', {
        cause,
        fields: { layer: 'runtime', id, remedy: `take another, or remove it with \`strake-runc delete ${id}\`` },
      });
    }
    try {
      write(path.join(directory, 'config.json'), config);
    } catch (error) {
      this.remove(id);
      throw error;
    }
  }

  save(container: StoredContainer): void {
    const file = path.join(this.directory(container.id), 'state.json');
    write(`${file}.new`, JSON.stringify(container));
    renameSync(`${file}.new`, file);
  }

  /** A program that the front runs for a verb (docs/CONTRACTS.md). */
  writeProgram(id: string, verb: string, program: Uint8Array): void {
    write(path.join(this.directory(id), `${verb}.program`), program);
  }

  /** The compiled seccomp filter (docs/CONTRACTS.md). */
  writeFilter(id: string, data: Uint8Array): void {
    write(this.#filterFile(id), data);
  }

  /** Undefined when none was written. */
  readFilter(id: string): Buffer | undefined {
    try {
      return readFileSync(this.#filterFile(id));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** NotFound when there is none. */
  load(id: string): StoredContainer {
    return parseJson(this.#read(id, 'state.json'), `the state of container ${id}`) as StoredContainer;
  }

  /** The configuration's text as it was at create. */
  config(id: string): string {
    return this.#read(id, 'config.json');
  }

  list(): readonly string[] {
    return namesIn(this.root);
  }

  remove(id: string): void {
    rmSync(this.directory(id), { recursive: true, force: true });
  }

  #filterFile(id: string): string {
    return path.join(this.directory(id), 'seccomp.bpf');
  }

  #read(id: string, name: string): string {
    try {
      return readFileSync(path.join(this.directory(id), name), 'utf8');
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
      throw new StrakeError('NotFound', 'container does not exist', { cause, fields: { layer: 'runtime', id } });
    }
  }
}

function write(file: string, data: string | Uint8Array): void {
  try {
    writeFileSync(file, data, { mode: 0o600 });
  } catch (cause) {
    throw withRemedy(cause, `write ${file}`);
  }
}

/** Why a place cannot hold the state of containers, in the words of strerror(3). */
const placeErrors: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EDQUOT: 'disk quota exceeded',
  ENOSPC: 'no space left on device',
  EROFS: 'read-only file system',
};

/** Such an error with the object and the way out; any other one as it is. */
function withRemedy(cause: unknown, action: string): unknown {
  const { code = '' } = cause as NodeJS.ErrnoException;
  const reason = Object.hasOwn(placeErrors, code) ? placeErrors[code] : undefined;
  if (reason === undefined) return cause;
  return new StrakeError(codeOfErrno(code), `${action}: ${reason} (--root names another place for the state of containers)`, {
    cause,
    fields: { layer: 'runtime', errno: code },
  });
}

/** The root is there nearly always: one mkdir then. */
function makeDirectory(directory: string, root: string): void {
  try {
    mkdirSync(directory, { mode: 0o711 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    mkdirSync(root, { recursive: true, mode: 0o700 });
    mkdirSync(directory, { mode: 0o711 });
  }
}
