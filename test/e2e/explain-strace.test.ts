/** The program that `strake explain` prints is the sequence of system calls that strace sees when the same command runs. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { Engine } from '../lib/engine.ts';
import type { Running } from '../lib/process.ts';
import { type Call, childrenOf, explainMismatch, readTrace, type Step } from '../lib/strace.ts';
import { type OperationLine, readOperation, wrongArguments } from '../lib/strace-arguments.ts';
import { until } from '../lib/until.ts';
import { busybox } from './steps/step.ts';

const setupMs = 600_000;
const caseMs = 120_000;

const commands: Readonly<Record<string, readonly string[]>> = {
  plain: ['--network', 'none', busybox, 'true'],
  'default bridge': [busybox, 'true'],
  'a terminal, limits and a read-only root': [
    ...['-t', '--memory', '64m', '--pids-limit', '20', '--read-only', '--tmpfs', '/scratch:size=1m,noexec'],
    ...['--network', 'none', busybox, 'true'],
  ],
  'another user, no capabilities, no new privileges': [
    ...['--user', '1000:1000', '--group-add', '1001', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'],
    ...['--network', 'none', busybox, 'true'],
  ],
  'privileged, without seccomp': ['--privileged', '--network', 'none', busybox, 'true'],
  'an init, a volume, a bind, a device, limits, a directory that is not there': [
    ...['--init', '-v', 'explained:/etc', '-v', '/tmp:/on/the/host:ro', '--device', '/dev/null:/dev/nothing', '-w', '/not/there'],
    ...['--ulimit', 'nofile=512:1024', '--sysctl', 'net.ipv4.ip_forward=1', '--oom-score-adj', '300', '--cpuset-cpus', '0', '--domainname', 'example.org'],
    ...['--network', 'none', busybox, 'true'],
  ],
  'namespaces of the host': ['--network', 'host', '--ipc', 'host', '--pid', 'host', '--uts', 'host', busybox, 'true'],
};

interface Explanation {
  readonly program: readonly string[];
  readonly calls: readonly string[];
}

let engine: Engine;

async function strake(argv: readonly string[]): Promise<string> {
  return await engine.ownOutput(argv);
}

/** Attaches strace to the zygote; resolves when it is attached. Flags are numbers, as in the program. */
async function traceZygote(log: string): Promise<{ readonly tracer: Running; readonly zygote: number }> {
  const { world } = engine;
  const zygote = world.pids().find((pid) => /strake-init\0zygote/.test(world.commandLine(pid)));
  if (zygote === undefined) throw new Error('no zygote runs');
  const tracer = world.spawn(['strace', '-f', '-v', '-X', 'raw', '-s', '65536', '-o', log, '-p', String(zygote)]);
  await tracer.output(/attached/, { stream: 'stderr' });
  return { tracer, zygote };
}

/** The client hears of the exit before the monitor's last calls. */
function monitorRuns(): boolean {
  const { world } = engine;
  return world.pids().some((pid) => world.commandLine(pid).startsWith('strake-init: monitor'));
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
        const explanation = JSON.parse(await strake(['explain', '--format', 'json', '--rm', ...argv])) as Explanation;
        const log = join(engine.work, `${label.replaceAll(/\W+/g, '-')}.strace`);
        const { tracer, zygote } = await traceZygote(log);
        await strake(['run', '--rm', ...argv]);
        await until('the monitor to end', () => !monitorRuns());
        await tracer.stop();
        const { host, init } = sides(readTrace(log), zygote);
        const program = explanation.program.map(readOperation);
        expect({ host: explainMismatch(host, hostSteps(program, explanation)), init: explainMismatch(init, initSteps(program, explanation)) }).toEqual({
          host: undefined,
          init: undefined,
        });
      },
      caseMs,
    );
  }
});

/** Memory of the process itself: malloc's, and an operation makes none of these calls on purpose. Everything else has to be explained. */
const memory = new Set(['mmap', 'munmap', 'mremap', 'mprotect', 'brk', 'madvise']);

/**
 * The monitor is the zygote's child that clones the init. The init is that child, up to its execve; under `--init` it forks, and the rest of
 * the program is the child's.
 */
function sides(trace: readonly Call[], zygote: number): { readonly host: readonly Call[]; readonly init: readonly Call[] } {
  const calls = trace.filter((call) => !memory.has(call.name));
  const of = (pid: number): readonly Call[] => calls.filter((call) => call.pid === pid);
  const monitor = childrenOf(calls, zygote).find((pid) => of(pid).some((call) => call.name === 'clone3'));
  const [first] = monitor === undefined ? [] : childrenOf(calls, monitor);
  if (monitor === undefined || first === undefined) throw new Error('the trace shows no monitor that cloned an init');
  const fork = of(first).findIndex((call) => call.name === 'clone' || call.name === 'execve');
  // The fork's result is a pid of the container's namespace; the trace has those of ours.
  const child = of(first)[fork]?.name === 'clone' ? calls.find(({ pid }) => ![zygote, monitor, first].includes(pid))?.pid : undefined;
  const init = child === undefined ? of(first) : [...of(first).slice(0, fork + 1), ...of(child)];
  return { host: of(monitor), init: init.slice(0, init.findIndex((call) => call.name === 'execve') + 1) };
}

const turn: Step = { name: 'hand-over to the other process', pattern: 'sendmsg' };

/** The zygote's child before it has its program: stdio, a session, the program read. */
const arrival: Step = {
  name: 'before the program',
  pattern: 'set_robust_list close openat dup2 dup2 dup2 close rt_sigaction setsid setsockopt recvfrom recvfrom recvfrom* setsockopt umask',
};
/** The init as clone3 left it: the monitor's descriptors go, stdio comes, and it waits for its turn. */
const birth: Step = { name: 'the init before its first operation', pattern: 'close* rt_sigprocmask rt_sigaction dup2* close* recvmsg' };
/** The exit is written down and told, the socket goes. */
const farewell: Step = {
  name: 'after the program',
  pattern:
    'openat write close renameat close* sendmsg* (accept4|poll|shutdown|sendmsg|recvfrom|close)* unlinkat close (poll|shutdown|recvfrom|close)* exit_group',
};

function operations(program: readonly OperationLine[], { calls }: Explanation, side: 'host' | 'init'): readonly (Step & { readonly index: number })[] {
  return program.flatMap((operation, index) =>
    operation.side === side
      ? [
          {
            index,
            name: `operation ${index} (${operation.text})`,
            pattern: calls[index] ?? '',
            wrong: (taken: readonly Call[]) => wrongArguments(operation, taken),
          },
        ]
      : [],
  );
}

function hostSteps(program: readonly OperationLine[], explanation: Explanation): readonly Step[] {
  const steps = operations(program, explanation, 'host').flatMap((step) => (program[step.index + 1]?.side === 'init' ? [step, turn] : [step]));
  return [arrival, ...steps, farewell];
}

function initSteps(program: readonly OperationLine[], explanation: Explanation): readonly Step[] {
  return [birth, ...operations(program, explanation, 'init')];
}
