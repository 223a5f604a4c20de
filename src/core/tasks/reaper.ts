/** docker --init for containers that another runtime makes: a program of ours is bound into them, and runs theirs. */
import { copyFileSync, mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { programFile } from '../../kernel/index.ts';
import type { RuntimeSpec } from '../../oci/index.ts';

/** Docker's place for it. The program knows what it is by this name. */
const place = '/sbin/docker-init';

/** A copy of the program, for who may write where it is bound writes to what is bound. Made once in the life of a daemon. */
export class Reaper {
  private readonly directory: string;
  private made = false;

  constructor(directory: string) {
    this.directory = directory;
  }

  /** With the reaper as its process, and the process below it. */
  addTo(spec: RuntimeSpec): RuntimeSpec {
    const { process, mounts = [] } = spec;
    if (process === undefined) return spec;
    return {
      ...spec,
      mounts: [...mounts, { destination: place, type: 'bind', source: this.program(), options: ['bind', 'ro'] }],
      process: { ...process, args: [place, '--', ...(process.args ?? [])] },
    };
  }

  private program(): string {
    const program = path.join(this.directory, 'docker-init');
    if (this.made) return program;
    mkdirSync(this.directory, { recursive: true, mode: 0o711 });
    copyFileSync(programFile('strake-init'), `${program}.new`);
    renameSync(`${program}.new`, program);
    this.made = true;
    return program;
  }
}
