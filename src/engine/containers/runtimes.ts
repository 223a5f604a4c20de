import { StrakeError } from '../../base/index.ts';
import type { RuntimeChoice } from '../../core/index.ts';
import type { OciRuntimeBinary } from '../../core/tasks/index.ts';

/** What a container may be run by. */
export interface EngineRuntime {
  /** In containerd's words. */
  readonly choice: RuntimeChoice;
  /** Another runtime's command under our monitors; ours in process, or what the other containerd takes, when absent. */
  readonly binary?: OciRuntimeBinary;
}

/** By the names that clients ask for: `docker run --runtime NAME`. */
export interface Runtimes {
  readonly default: string;
  readonly known: ReadonlyMap<string, EngineRuntime>;
}

/** The name that a container has from its creation on. InvalidArgument in moby's words for one that is not known. */
export function runtimeNameOf({ default: usual, known }: Runtimes, asked: string): string {
  const name = asked === '' || asked === 'default' ? usual : asked;
  if (!known.has(name)) throw unknown(name);
  return name;
}

/** What is behind the name of a container's runtime; it may have been taken away since. */
export function runtimeNamed({ known }: Runtimes, name: string): EngineRuntime {
  const runtime = known.get(name);
  if (runtime === undefined) throw unknown(name);
  return runtime;
}

function unknown(name: string): StrakeError {
  return new StrakeError('InvalidArgument', `unknown or invalid runtime name: ${name}`, {
    fields: { layer: 'engine', remedy: 'start strake daemon with --add-runtime NAME=PATH' },
  });
}
