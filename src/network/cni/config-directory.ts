import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { namesIn, StrakeError } from '../../base/index.ts';
import { type CniNetwork, parseNetwork } from './network-config.ts';

const endings = ['.conf', '.conflist', '.json'];
const maxFileBytes = 1 << 20;

/**
 * The network of a directory of configurations: the one of the first file in the order of their names. What it holds is read again when the file is
 * another one, or a changed one: a look at the directory for each use, no watch that could come late or miss something.
 */
export class ConfigDirectory {
  readonly path: string;
  private known: { readonly identity: string; readonly network: CniNetwork } | undefined;

  constructor(directory: string) {
    this.path = directory;
  }

  /** Whether there is a configuration, be it good or bad. */
  exists(): boolean {
    return this.firstFile() !== undefined;
  }

  /** Undefined without a configuration. InvalidArgument for one that is wrong: the next one is not taken in its stead. */
  network(): CniNetwork | undefined {
    const file = this.firstFile();
    if (file === undefined) return undefined;
    const { size, mtimeMs, ino } = statSync(file);
    const identity = [file, size, mtimeMs, ino].join(' ');
    if (this.known?.identity === identity) return this.known.network;
    if (size > maxFileBytes)
      throw new StrakeError('InvalidArgument', `network configuration ${file}: it has ${size} bytes, at most ${maxFileBytes} are read`, {
        fields: { layer: 'network' },
      });
    const network = parseNetwork(readFileSync(file, 'utf8'), file);
    this.known = { identity, network };
    return network;
  }

  private firstFile(): string | undefined {
    const name = namesIn(this.path).find((candidate) => endings.includes(path.extname(candidate)));
    return name === undefined ? undefined : path.join(this.path, name);
  }
}
