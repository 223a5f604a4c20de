import { writeSync } from 'node:fs';
import { errorMessage } from '../../base/index.ts';
import { defaultStateRoot } from '../../kernel/index.ts';
import { ociVersion } from '../default-spec.ts';
import type { ProgramLauncher } from '../lifecycle/context.ts';
import { readMachine } from '../machine.ts';
import { StateStore } from '../state/store.ts';
import type { Command } from './command.ts';
import { type FlagTable, parseFlags } from './flags.ts';
import { type CommandLog, openLog } from './log.ts';

/** Each verb is loaded only when it is asked for: a call lives for milliseconds. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  create: async () => (await import('./verbs/create.ts')).create,
  delete: async () => (await import('./verbs/delete.ts')).remove,
  events: async () => (await import('./verbs/events.ts')).events,
  exec: async () => (await import('./verbs/exec.ts')).exec,
  explain: async () => (await import('./verbs/explain.ts')).explain,
  features: async () => (await import('./verbs/features.ts')).features,
  kill: async () => (await import('./verbs/kill.ts')).kill,
  list: async () => (await import('./verbs/list.ts')).list,
  pause: async () => (await import('./verbs/pause.ts')).pause,
  ps: async () => (await import('./verbs/ps.ts')).ps,
  resume: async () => (await import('./verbs/pause.ts')).resume,
  run: async () => (await import('./verbs/run.ts')).run,
  spec: async () => (await import('./verbs/spec.ts')).spec,
  start: async () => (await import('./verbs/start.ts')).start,
  state: async () => (await import('./verbs/state.ts')).state,
  update: async () => (await import('./verbs/update.ts')).update,
};

const globalFlags: FlagTable = {
  root: { kind: 'string' },
  log: { kind: 'string' },
  'log-format': { kind: 'string' },
  debug: { kind: 'bool' },
  'systemd-cgroup': { kind: 'bool' },
  rootless: { kind: 'string' },
  criu: { kind: 'string' },
  version: { kind: 'bool', alias: 'v' },
  help: { kind: 'bool', alias: 'h' },
};

/** How messages begin that containerd, Docker and Podman pass on or match: for every failure of the verb, and for one of the program. */
const failurePrefixes: Readonly<Record<string, readonly [string, string]>> = {
  create: ['runc create failed: ', 'unable to start container process: error during container init: '],
  run: ['runc run failed: ', 'unable to start container process: error during container init: '],
  exec: ['exec failed: ', 'unable to start container process: '],
};

export interface MainOptions {
  readonly version: string;
  /** runs programs in a child whose stdio is ours */
  readonly launcher: () => ProgramLauncher;
}

/** `strake-runc` from argv (without the program's name) to the exit status. */
export async function runtimeMain(argv: readonly string[], options: MainOptions): Promise<number> {
  let log: CommandLog = openLog(undefined, 'text', false);
  let verb = '';
  // Not process.stdout: making that stream alone takes 4 ms.
  const print = (text: string) => void writeSync(1, `${text}\n`);
  try {
    const globals = parseFlags(globalFlags, argv);
    verb = globals.args[0] ?? '';
    log = openLog(globals.string('log'), globals.string('log-format') ?? 'text', globals.bool('debug'));
    if (globals.bool('version')) {
      print(`strake-runc version ${options.version}\nspec: ${ociVersion}`);
      return 0;
    }
    const load = Object.hasOwn(commands, verb) ? commands[verb] : undefined;
    if (load === undefined) {
      await printUsage(print);
      if (verb === '' || verb === 'help' || globals.bool('help')) return 0;
      throw new Error(`No help topic for '${verb}'`);
    }
    if (globals.bool('systemd-cgroup')) throw new Error('--systemd-cgroup is not supported: give cgroupsPath as a path');
    const command = await load();
    const flags = parseFlags({ ...command.flags, help: { kind: 'bool', alias: 'h' } }, globals.args.slice(1));
    if (flags.bool('help')) {
      print(`strake-runc [--root DIR] [--log FILE] [--log-format text|json] ${command.usage}`);
      return 0;
    }
    const context = {
      store: new StateStore(globals.string('root') ?? defaultStateRoot),
      launcher: options.launcher(),
      machine: readMachine,
      warn: log.warn,
      debug: log.debug,
    };
    return await command.run(context, flags, print);
  } catch (error) {
    return report(error, verb, log);
  }
}

/** runc tells its log, and the person at stderr; a failed exec is 255 there, all else 1. */
function report(error: unknown, verb: string, log: CommandLog): number {
  const fromProgram = error instanceof Error && 'fields' in error && (error.fields as { readonly layer?: string }).layer === 'kernel';
  const [ofVerb, ofProgram] = failurePrefixes[verb] ?? ['', ''];
  const message = `${ofVerb}${fromProgram ? ofProgram : ''}${errorMessage(error)}`;
  log.error(message);
  if (log.toFile) writeSync(2, `${message}\n`);
  return verb === 'exec' ? 255 : 1;
}

async function printUsage(print: (text: string) => void): Promise<void> {
  print('usage: strake-runc [--root DIR] [--log FILE] [--log-format text|json] COMMAND\n');
  for (const load of Object.values(commands)) print(`  ${(await load()).usage}`);
}
