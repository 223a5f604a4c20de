import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Running } from '../lib/process.ts';
import { Place, World } from '../lib/world.ts';

/** A Debian tree as `/` inside a test world, with the suite's checkout and the runtime at their own paths: where a suite runs. */
export class SuiteRoot extends Place implements AsyncDisposable {
  readonly #world: World;
  readonly #holder: Running;

  private constructor(world: World, holder: Running) {
    super(holder.innerPid, world.cgroup);
    this.#world = world;
    this.#holder = holder;
  }

  /** `visible`: the machine's directories that are there too. `unified`: whether a hybrid machine's v2 tree stays. */
  static async start(options: { readonly root: string; readonly visible: readonly string[]; readonly unified: boolean }): Promise<SuiteRoot> {
    const world = await World.start();
    try {
      for (const directory of options.visible) mkdirSync(join(options.root, directory), { recursive: true });
      const script = join(import.meta.dirname, '../lib/peer-holder.sh');
      const binds = options.visible.map((directory) => `${directory}:${directory}`);
      const holder = world.spawn(['unshare', '--mount', '--propagation', 'private', 'sh', script, options.root, ...binds], {
        keepStdin: true,
        env: options.unified ? { KEEP_UNIFIED: '1' } : {},
      });
      await holder.output(/^ready$/m);
      return new SuiteRoot(world, holder);
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#holder.endInput();
    await this.#holder.stop();
    await this.#world[Symbol.asyncDispose]();
  }
}
