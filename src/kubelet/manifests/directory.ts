import { type FSWatcher, readFileSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import { errorMessage, type Logger, namesIn } from '../../base/index.ts';
import { type Manifests, maxManifestBytes, parseManifests } from './parse.ts';

interface KnownFile {
  /** Of which the text was read last. */
  readonly version: string;
  /** What it said when it could last be read. */
  readonly manifests: Manifests | undefined;
}

/** Without a sign of the kernel, and for file systems that give none, a directory is looked at so often. */
const rescanMs = 20_000;
/** Who writes a file makes several changes. */
const settleMs = 50;

/** The manifests in the files of directories: `*.yaml`, `*.yml` and `*.json` whose names do not begin with a point. */
export class ManifestDirectories {
  readonly #directories: readonly string[];
  readonly #log: Logger;
  #known = new Map<string, KnownFile>();

  constructor(directories: readonly string[], log: Logger) {
    this.#directories = directories;
    this.#log = log;
  }

  /** A file that cannot be read counts as what it last said: half a file ends no pod. Directories that are not there are empty. */
  read(): Manifests {
    const known = new Map<string, KnownFile>();
    for (const file of this.#directories.flatMap(manifestFiles)) known.set(file, this.#readFile(file));
    this.#known = known;
    const all = [...known.values()].flatMap(({ manifests }) => manifests ?? []);
    return {
      pods: all.flatMap(({ pods }) => pods),
      configMaps: all.flatMap(({ configMaps }) => configMaps),
      secrets: all.flatMap(({ secrets }) => secrets),
      claims: all.flatMap(({ claims }) => claims),
      warnings: [],
    };
  }

  /** Calls back after each change, and now and then without one. */
  watch(onChange: () => void): Disposable {
    let settling: NodeJS.Timeout | undefined;
    const notice = (): void => {
      settling ??= setTimeout(() => {
        settling = undefined;
        onChange();
      }, settleMs);
    };
    const watchers = this.#directories.flatMap((directory) => watchDirectory(directory, notice, this.#log));
    const timer = setInterval(onChange, rescanMs);
    return {
      [Symbol.dispose]() {
        clearInterval(timer);
        clearTimeout(settling);
        for (const watcher of watchers) watcher.close();
      },
    };
  }

  #readFile(file: string): KnownFile {
    const before = this.#known.get(file);
    let version = before?.version ?? '';
    try {
      const { mtimeMs, size, ino, ctimeMs } = statSync(file);
      version = `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
      if (version === before?.version) return before;
      const text = size > maxManifestBytes ? '\0'.repeat(maxManifestBytes + 1) : readFileSync(file, 'utf8');
      const manifests = parseManifests(text, file);
      for (const warning of manifests.warnings) this.#log.warn(warning);
      return { version, manifests };
    } catch (error) {
      this.#log.error('manifest cannot be read', { file, error: errorMessage(error) });
      return { version, manifests: before?.manifests };
    }
  }
}

function manifestFiles(directory: string): string[] {
  return namesIn(directory)
    .filter((name) => !name.startsWith('.') && /\.(ya?ml|json)$/.test(name))
    .map((name) => join(directory, name));
}

function watchDirectory(directory: string, onChange: () => void, log: Logger): FSWatcher[] {
  try {
    const watcher = watch(directory, onChange);
    watcher.on('error', (error) => log.warn('directory is not watched any more', { directory, error: errorMessage(error) }));
    return [watcher];
  } catch (error) {
    log.warn('directory is not watched', { directory, error: errorMessage(error) });
    return [];
  }
}
