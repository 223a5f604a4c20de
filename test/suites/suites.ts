import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { becomeRootless, type RootlessFeatures, rootlessEnvironment } from './rootless.ts';

/** One program of a suite that prints TAP. */
export interface SuiteFile {
  /** the list that it is compared with, `known-failing/<list>.txt` */
  readonly list: 'runc-bats' | 'runc-bats-rootless' | 'runtime-tools' | 'crun-tests';
  readonly name: string;
  readonly argv: readonly string[];
  /** the suite's own directory, seen in the tree too */
  readonly checkout: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** The slowest .bats file takes runc some 20 s on two cores. */
const batsTimeoutMs = 300_000;
/** Not run: criu 4.2's page server fails with EBADF (so does it under runc), and the test then reads a pipe for ever. */
const hangingTest = 'checkpoint --lazy-pages and restore';
/** The slowest of crun's takes 15 s; one of them waits for ever (known-failing/crun-tests.txt). */
const crunTimeoutMs = 60_000;
const validationTimeoutMs = 120_000;

/** runc's own suite: `directory` is its checkout, with the helpers of its tests built. */
export function runcBats(directory: string, runtime: string, rootless?: RootlessFeatures): SuiteFile[] {
  const tests = join(directory, 'tests/integration');
  requireBuilt(join(directory, 'tests/cmd/_bin'), 'the helpers of its tests');
  const testTimeout = process.env['BATS_TEST_TIMEOUT'];
  const timeout = testTimeout === undefined ? {} : { BATS_TEST_TIMEOUT: testTimeout };
  const env = { RUNC: runtime, ...timeout, ...(rootless === undefined ? {} : rootlessEnvironment(rootless)) };
  return readdirSync(tests)
    .filter((name) => name.endsWith('.bats'))
    .sort()
    .map((name) => ({
      list: rootless === undefined ? 'runc-bats' : 'runc-bats-rootless',
      name,
      argv: [...(rootless === undefined ? [] : becomeRootless), 'bats', '--tap', '--negative-filter', hangingTest, join(tests, name)],
      checkout: directory,
      cwd: directory,
      env,
      timeoutMs: batsTimeoutMs,
    }));
}

/** runtime-tools' validation: `directory` is its checkout, with `runtimetest` and the validation programs built. */
export function runtimeTools(directory: string, runtime: string): SuiteFile[] {
  const validation = join(directory, 'validation');
  requireBuilt(join(directory, 'runtimetest'), 'runtimetest');
  const programs = readdirSync(validation)
    .filter((name) => existsSync(join(validation, name, `${name}.t`)))
    .sort();
  if (programs.length === 0) throw new Error(`${validation} has no validation programs: build them first`);
  return programs.map((name) => ({
    list: 'runtime-tools',
    name,
    argv: [join(validation, name, `${name}.t`)],
    checkout: directory,
    cwd: directory,
    env: { RUNTIME: runtime },
    timeoutMs: validationTimeoutMs,
  }));
}

/** Not tests of an OCI runtime: crun's handlers for wasm and virtual machines. */
const crunsOwn = ['test_custom_handler.py'];

/** crun's tests: `directory` is its checkout, with `tests/init`, the program that their containers run, built. */
export function crunTests(directory: string, runtime: string): SuiteFile[] {
  const tests = join(directory, 'tests');
  requireBuilt(join(tests, 'init'), 'tests/init');
  return readdirSync(tests)
    .filter((name) => /^test_.*\.py$/.test(name) && !crunsOwn.includes(name))
    .sort()
    .map((name) => ({
      list: 'crun-tests',
      name,
      argv: ['python3', '-B', join(tests, name)],
      checkout: directory,
      cwd: '/tmp', // their bundles come to the working directory
      env: { OCI_RUNTIME: runtime, INIT: join(tests, 'init') },
      timeoutMs: crunTimeoutMs,
    }));
}

function requireBuilt(path: string, what: string): void {
  if (!existsSync(path)) throw new Error(`${path} is missing: build ${what} first (test/suites/README.md)`);
}
