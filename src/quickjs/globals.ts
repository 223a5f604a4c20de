/** What Node has in its global object and QuickJS has not; evaluated before everything else (native/decider/decider.c). */
import * as system from 'strake:system';
import { Buffer } from './buffer.ts';
import { succeeded } from './failure.ts';
import { constants } from './os.ts';

const env = Object.fromEntries(
  system.environment().map((variable) => {
    const end = variable.indexOf('=', 1);
    return end < 0 ? [variable, ''] : [variable.slice(0, end), variable.slice(end + 1)];
  }),
);

const process = {
  argv: scriptArgs,
  env,
  arch: system.architecture(),
  platform: 'linux',
  get pid() {
    return system.pid();
  },
  get ppid() {
    return system.parentPid();
  },
  cwd: () => succeeded<string>(system.workingDirectory(), 'getcwd'),
  geteuid: () => system.effectiveUser(),
  getegid: () => system.effectiveGroup(),
  exit: (status: number) => system.exit(status),
  kill(pid: number, signal: string | number) {
    const number = typeof signal === 'number' ? signal : constants.signals[signal];
    if (number === undefined) throw new TypeError(`Unknown signal: ${signal}`);
    succeeded(system.kill(pid, number), 'kill');
  },
};

Object.assign(globalThis, { Buffer, process, performance: { now: system.now } });
