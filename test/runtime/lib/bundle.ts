import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatJson } from '../../../src/oci/index.ts';
import { busyboxLayer } from '../../fixtures/busybox.ts';
import type { Account } from './account.ts';
import { type Patch, testSpec } from './spec.ts';

/** The machine's own (Debian's busybox-static): these tests need no peer. */
const busybox = '/bin/busybox';

/** A directory with `config.json` and `rootfs/`. */
export interface Bundle {
  readonly dir: string;
  readonly rootfs: string;
}

/** Makes bundles below one directory. The programs of their roots are hard links to one copy: a test that changes a program replaces the file. */
export class BundleMaker {
  readonly #dir: string;
  readonly #template: string;
  readonly #account: Account;

  constructor(dir: string, account: Account) {
    this.#dir = dir;
    this.#account = account;
    this.#template = join(dir, 'template');
    mkdirSync(this.#template, { recursive: true });
    command(['tar', '-C', this.#template, '-xf', '-'], busyboxLayer(busybox));
  }

  make(patch?: Patch): Bundle {
    const dir = mkdtempSync(join(this.#dir, 'bundle-'));
    const rootfs = join(dir, 'rootfs');
    command(['sh', '-c', 'cp -al "$0" "$1" && cp -a --remove-destination "$0/etc" "$1"', this.#template, rootfs]);
    const bundle = { dir, rootfs };
    this.configure(bundle, patch);
    if (this.#account.uid !== 0) command(['chown', '-hR', `${this.#account.uid}:${this.#account.uid}`, dir]);
    return bundle;
  }

  /** Writes another configuration into a bundle. */
  configure(bundle: Bundle, patch?: Patch): void {
    writeFileSync(join(bundle.dir, 'config.json'), formatJson(testSpec(patch, this.#account.spec)));
  }
}

function command([program, ...args]: readonly [string, ...string[]], input?: Buffer): void {
  const { status, stderr, error } = spawnSync(program, args, { input });
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}
