import { writeSync } from 'node:fs';
import { StrakeError } from '../../base/index.ts';
import { ociVersion } from '../default-spec.ts';
import type { ProgramLauncher } from '../lifecycle/context.ts';
import type { Terminal } from '../lifecycle/foreground-terminal.ts';
import { readMachine } from '../machine.ts';
import { StateStore } from '../state/store.ts';
import { cgroupManager } from './cgroup-manager.ts';
import { errorText } from './error-text.ts';
import { misuseOf, parseFlags } from './flags.ts';
import { givenRoot, globalFlags, logOptions } from './global-options.ts';
import { type CommandLog, openLog } from './log.ts';
import { defaultRoot, isRootless } from './rootless.ts';
import type { Trace } from './trace.ts';
import { loadCommand } from './verbs.ts';

/** How messages begin that containerd, Docker and Podman pass on or match: for every failure of the verb, and for one of the program. */
const failurePrefixes: Readonly<Record<string, readonly [string, string]>> = {
  create: ['runc create failed: ', 'unable to start container process: error during container init: '],
  run: ['runc run failed: ', 'unable to start container process: error during container init: '],
  exec: ['exec failed: ', 'unable to start container process: '],
};

/** runc's status for a verb that it does not know. */
const unknownVerbStatus = 3;

export interface MainOptions {
  readonly version: string;
  /** of the sources */
  readonly commit: string;
  /** runs programs in a child whose stdio is ours */
  readonly launcher: () => ProgramLauncher;
  /** the caller's */
  readonly terminal: Terminal;
}

/** `strake-runc` from argv (without the program's name) to the exit status. */
export async function runtimeMain(argv: readonly string[], options: MainOptions): Promise<number> {
  let log: CommandLog = openLog({ format: 'text', level: 'warning' });
  let verb = '';
  let trace: Trace | undefined;
  // Not process.stdout: making that stream alone takes 4 ms.
  const print = (text: string) => void writeSync(1, `${text}\n`);
  try {
    const globals = parseFlags(globalFlags, argv, 1);
    if (globals.bool('version')) {
      print(`strake-runc version ${options.version}\ncommit: ${options.commit}\nspec: ${ociVersion}`);
      return 0;
    }
    const [name = 'help', ...rest] = globals.args;
    if (globals.bool('help')) return await help(globals.args[0], options.version, print);
    if (name === 'help' || name === 'h') return await help(rest[0], options.version, print);
    const root = givenRoot(globals);
    log = openLog(logOptions(globals));
    const command = await loadCommand(name);
    if (command === undefined) return unknownVerb(name, log);
    verb = name;
    const flags = parseFlags({ ...command.flags, help: { kind: 'bool', alias: 'h' } }, rest, command.flagsEndAfter);
    if (flags.bool('help')) return await help(verb, options.version, print);
    const launcher = options.launcher();
    const traceFile = globals.string('trace') || flags.string('trace');
    if (traceFile) {
      trace = new (await import('./trace.ts')).Trace(traceFile);
      launcher.observe(trace);
      trace.phase('start');
    }
    const context = {
      store: new StateStore(root ?? defaultRoot()),
      rootIsGiven: root !== undefined,
      launcher: !log.debugging ? launcher : new (await import('./debug-launcher.ts')).DebugLauncher(launcher, log.debug, verb),
      terminal: options.terminal,
      machine: readMachine,
      rootless: isRootless(globals.string('rootless')),
      cgroupManager: cgroupManager(globals),
      warn: log.warn,
      debug: log.debug,
      phase: (name: string) => trace?.phase(name),
    };
    const status = await command.run(context, flags, print);
    trace?.phase('end');
    return status;
  } catch (error) {
    trace?.phase('failed');
    const misuse = misuseOf(error);
    if (misuse === undefined) return report(error, verb, log);
    if (misuse === 'flag') writeSync(2, `Incorrect Usage: ${errorText(error)}\n\n`);
    else print('Incorrect Usage.\n');
    await help(verb === '' ? undefined : verb, options.version, print);
    return report(error, '', log);
  }
}

async function help(verb: string | undefined, version: string, print: (text: string) => void): Promise<number> {
  const texts = await import('./help/index.ts');
  if (verb === undefined) {
    print(texts.globalHelp(version));
    return 0;
  }
  const command = await loadCommand(verb);
  if (command === undefined) return unknownVerb(verb, openLog({ format: 'text', level: 'error' }));
  print(texts.verbHelp(verb, command));
  return 0;
}

function unknownVerb(name: string, log: CommandLog): number {
  report(new Error(`No help topic for '${name}'`), '', log);
  return unknownVerbStatus;
}

function isFailedExecve(error: unknown): boolean {
  return error instanceof Error && 'fields' in error && (error.fields as { readonly operation?: string }).operation === 'exec';
}

/** What the error says to do about it; behind the text that others match on. */
function remedyOf(error: unknown): string | undefined {
  return error instanceof StrakeError ? error.fields.remedy : undefined;
}

/** runc tells its log, and the person at stderr; a failed exec is 255 there, all else 1. */
function report(error: unknown, verb: string, log: CommandLog): number {
  const fromProgram = error instanceof Error && 'fields' in error && (error.fields as { readonly layer?: string }).layer === 'kernel';
  const remedy = remedyOf(error);
  const advised = (text: string) => (remedy === undefined ? text : `${text}: ${remedy}`);
  // The process itself has said it where runc's does: with no log line, and in one line.
  if (verb === 'run' && isFailedExecve(error)) {
    writeSync(2, `${errorText(error)}\n`);
    log.debug(advised(errorText(error)));
    return 1;
  }
  const [ofVerb, ofProgram] = failurePrefixes[verb] ?? ['', ''];
  const message = `${ofVerb}${fromProgram ? ofProgram : ''}${errorText(error)}`;
  // An engine reads its file and passes the message on, or matches on it, whole: there are runc's words alone.
  log.error(log.toFile ? message : advised(message));
  if (log.toFile) writeSync(2, `${advised(message)}\n`);
  return verb === 'exec' ? 255 : 1;
}
