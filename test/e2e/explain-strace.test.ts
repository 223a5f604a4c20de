/** The program that `strake explain` prints is the sequence of system calls that strace sees when the same command runs. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { Engine } from '../lib/engine.ts';
import type { Running } from '../lib/process.ts';
import type { Call } from '../lib/strace.ts';
import { childrenOf, matchOperation, readTrace } from '../lib/strace.ts';
import { busybox } from './steps/step.ts';

const setupMs = 600_000;
const caseMs = 120_000;

const commands: Readonly<Record<string, readonly string[]>> = {
  plain: ['--network', 'none', busybox, 'true'],
  'default bridge': [busybox, 'true'],
  'a terminal, limits and a read-only root': [
    '-t',
    '--memory',
    '64m',
    '--read-only',
    '--tmpfs',
    '/scratch',
    '--pids-limit',
    '20',
    '--network',
    'none',
    busybox,
    'true',
  ],
  'another user, no capabilities, no new privileges': [
    '--user',
    '1000:1000',
    '--cap-drop',
    'ALL',
    '--security-opt',
    'no-new-privileges',
    '--network',
    'none',
    busybox,
    'true',
  ],
  'privileged, without seccomp': ['--privileged', '--network', 'none', busybox, 'true'],
};

interface Explanation {
  readonly program: readonly string[];
  readonly calls: readonly string[];
}

let engine: Engine;

async function strake(argv: readonly string[]): Promise<string> {
  return await engine.world.output([...engine.strake, ...argv]);
}

/** Attaches strace to the zygote; resolves when it is attached. */
async function traceZygote(log: string): Promise<{ readonly tracer: Running; readonly zygote: number }> {
  const { world } = engine;
  const zygote = world.pids().find((pid) => world.alive(pid) && /strake-init\0zygote/.test(world.proc(pid, 'cmdline')));
  if (zygote === undefined) throw new Error('no zygote runs');
  const tracer = engine.world.spawn(['strace', '-f', '-s', '4096', '-o', log, '-p', String(zygote)]);
  await tracer.output(/attached/, { stream: 'stderr' });
  return { tracer, zygote };
}

beforeAll(async () => {
  engine = await Engine.start('strake');
  expect(await engine.docker(['pull', '-q', busybox])).toMatchObject({ code: 0 });
  expect(await engine.docker(['run', '--rm', busybox, 'true'])).toMatchObject({ code: 0 });
}, setupMs);

afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
}, setupMs);

describe('strake explain prints what strace sees', () => {
  for (const [label, argv] of Object.entries(commands)) {
    test(
      label,
      async () => {
        const explanation = JSON.parse(await strake(['explain', '--format', 'json', ...argv])) as Explanation;
        const log = join(engine.work, `${label.replaceAll(/\W+/g, '-')}.strace`);
        const { tracer, zygote } = await traceZygote(log);
        await strake(['run', '--rm', ...argv]);
        await tracer.stop();
        const calls = readTrace(log);
        const { host, init } = sides(calls, zygote);
        expect(mismatches(explanation, { host, init })).toEqual([]);
      },
      caseMs,
    );
  }
});

/** The monitor is the zygote's child that clones the init; the init is that child. */
function sides(calls: readonly Call[], zygote: number): { readonly host: readonly Call[]; readonly init: readonly Call[] } {
  for (const monitor of childrenOf(calls, zygote)) {
    const [init] = childrenOf(calls, monitor);
    if (init !== undefined) return { host: calls.filter((call) => call.pid === monitor), init: calls.filter((call) => call.pid === init) };
  }
  throw new Error('the trace shows no monitor that cloned an init');
}

/** Walks the program beside the two streams of calls; an operation whose calls are not there, or not next, is a line. */
function mismatches(explanation: Explanation, streams: Readonly<Record<'host' | 'init', readonly Call[]>>): string[] {
  const problems: string[] = [];
  const position = { host: 0, init: 0 };
  for (const [index, line] of explanation.program.entries()) {
    const side = line.startsWith('host ') ? 'host' : 'init';
    const result = matchOperation(streams[side], position[side], explanation.calls[index] ?? '');
    if ('wanted' in result) {
      problems.push(
        `operation ${index} (${line}): wants ${result.wanted}, strace saw ${result.saw ? result.saw.name + result.saw.text.slice(0, 120) : 'nothing more'}`,
      );
      break; // what follows would only say that the streams are out of step
    }
    const missing = namesIn(line).filter((name) => result.taken.length > 0 && !result.taken.some((call) => call.text.includes(name)));
    if (missing.length > 0) problems.push(`operation ${index} (${line}): strace saw its calls, but not ${missing.join(', ')}`);
    position[side] = result.end;
  }
  return problems;
}

/** What an operation's arguments must show in the calls: the last part of its target path, and its filesystem's name. Ids differ from run to run. */
function namesIn(line: string): string[] {
  const target = /(?:^| )target=(\S+)/.exec(line)?.[1]?.split('/').at(-1) ?? '';
  const filesystem = /(?:^| )fstype=(\S+)/.exec(line)?.[1] ?? '';
  return [target, filesystem].filter((name) => name !== '' && !/[0-9a-f]{12}/.test(name));
}
