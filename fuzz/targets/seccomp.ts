import { spawnSync } from 'node:child_process';
import path from 'node:path';
import fc from 'fast-check';
import { returnValue, seccompActions } from '../../src/kernel/seccomp/actions.ts';
import { syscallTable } from '../../src/kernel/seccomp/architectures.ts';
import { runFilter } from '../../src/kernel/seccomp/fixtures.ts';
import { compileSeccomp, seccompOperators } from '../../src/kernel/seccomp/index.ts';
import type { LinuxSeccomp, SeccompArg } from '../../src/oci/index.ts';
import { nativeBuild } from '../build.ts';
import { check } from '../target.ts';

/** Calls that every release of libseccomp has. */
const calls = ['read', 'write', 'openat', 'close', 'fcntl', 'mount', 'ptrace', 'kill', 'prctl', 'socket', 'clone', 'mmap'] as const;
const auditX86 = 0xc000003e;
const profilesAtOnce = 500;
const callsEach = 6;

const value = fc.oneof(
  fc.constantFrom(0n, 1n, 7n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 40n + 3n, 2n ** 63n, 2n ** 64n - 1n),
  fc.bigInt({ min: 0n, max: 255n }),
);
const action = fc.constantFrom(...seccompActions.filter((name) => name !== 'SCMP_ACT_NOTIFY'));
const argument = (index: number) => fc.record({ index: fc.constant(index), op: fc.constantFrom(...seccompOperators), value, valueTwo: value });
// An argument at most once: conditions on the same one are alternatives.
const args = fc.subarray([0, 1, 2, 5]).chain((indexes) => fc.tuple(...indexes.slice(0, 3).map(argument)));
const rule = fc.record({ action, errnoRet: fc.nat(4094), args });
const profile = fc.record({
  defaultAction: action,
  names: fc.subarray([...calls]),
  rules: fc.array(rule, { minLength: calls.length, maxLength: calls.length }),
});
const call = fc.record({
  name: fc.constantFrom(...calls, 'getpid'),
  args: fc.array(value, { minLength: 6, maxLength: 6 }),
  near: fc.nat(),
  offset: fc.integer({ min: -1, max: 1 }),
});
const sample = fc.record({ profile, calls: fc.array(call, { minLength: callsEach, maxLength: callsEach }) });
type Sample = typeof sample extends fc.Arbitrary<infer T> ? T : never;

function configuration({ profile: { defaultAction, names, rules } }: Sample): LinuxSeccomp {
  return {
    defaultAction,
    architectures: ['SCMP_ARCH_X86_64'],
    syscalls: names.map((name, index) => {
      const { action: what = defaultAction, errnoRet = 0, args: conditions = [] } = rules[index] ?? {};
      return { names: [name], action: what, ...(/ERRNO|TRACE/.test(what) ? { errnoRet } : {}), args: conditions };
    }),
  };
}

/** What the words of the specification say of a call, without any compiling. */
function expected({ defaultAction, syscalls = [] }: LinuxSeccomp, name: string, values: readonly bigint[]): number {
  const rule = syscalls.find(({ names }) => names.includes(name));
  if (rule === undefined || !(rule.args ?? []).every((arg) => holds(arg, values[arg.index] ?? 0n))) return returnValue(defaultAction, undefined);
  return returnValue(rule.action, rule.errnoRet);
}

function holds({ op, value, valueTwo }: SeccompArg, given: bigint): boolean {
  const [a, b] = [BigInt(value), BigInt(valueTwo ?? 0)];
  switch (op) {
    case 'SCMP_CMP_NE':
      return given !== a;
    case 'SCMP_CMP_LT':
      return given < a;
    case 'SCMP_CMP_LE':
      return given <= a;
    case 'SCMP_CMP_EQ':
      return given === a;
    case 'SCMP_CMP_GE':
      return given >= a;
    case 'SCMP_CMP_GT':
      return given > a;
    default:
      return (given & a) === (b & a);
  }
}

function statements(config: LinuxSeccomp): string {
  const fallback = returnValue(config.defaultAction, undefined);
  const rules = (config.syscalls ?? []).flatMap(({ names, action: what, errnoRet, args: conditions = [] }) => {
    const answer = returnValue(what, errnoRet);
    const words = conditions.map(({ index, op, value, valueTwo }) => `${index} ${seccompOperators.indexOf(op as never) + 1} ${value} ${valueTwo ?? 0}`);
    // libseccomp refuses a rule that changes nothing.
    return answer === fallback ? [] : [['rule', answer, names[0], ...words].join(' ')];
  });
  return `${[`profile ${fallback}`, ...rules, 'export'].join('\n')}\n`;
}

function libseccomp(configs: readonly LinuxSeccomp[]): Buffer[] {
  const { status, stdout, stderr } = spawnSync(path.join(nativeBuild('libseccomp'), 'libseccomp'), {
    input: configs.map(statements).join(''),
    maxBuffer: 1 << 28,
  });
  check(status === 0, `libseccomp: ${stderr}`);
  const filters: Buffer[] = [];
  for (let at = 0; at < stdout.length; ) {
    const length = stdout.readUInt32LE(at);
    filters.push(stdout.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return filters;
}

/** Our filter, libseccomp's and the specification say the same of each call; ours run in a simulator of the kernel's. */
export function seccomp(runs: number, seed: number): void {
  const numbers = syscallTable('X86_64');
  for (let done = 0; done < runs; done += profilesAtOnce) {
    const samples = fc.sample(sample, { numRuns: Math.min(profilesAtOnce, runs - done), seed: seed + done });
    const configs = samples.map(configuration);
    const theirs = libseccomp(configs);
    check(theirs.length === configs.length, 'libseccomp built fewer filters');
    for (const [index, config] of configs.entries()) {
      const ours = compileSeccomp(config, { native: 'X86_64', enosysForNewer: false }).filter;
      for (const one of samples[index]?.calls ?? []) {
        const values = near(config, one);
        const made = { number: numbers[one.name] ?? -1, auditArch: auditX86, args: values };
        const answers = [runFilter(ours, made), runFilter(theirs[index] ?? Buffer.alloc(0), made), expected(config, one.name, values)];
        check(
          new Set(answers).size === 1,
          `${one.name}(${values}): ours, libseccomp, specification: ${answers.map((answer) => answer.toString(16))} with ${story(config)}`,
        );
      }
    }
  }
}

/** The arguments, one of them at or beside what a rule compares it with. */
function near(config: LinuxSeccomp, { name, args: values, near: at, offset }: Sample['calls'][number]): readonly bigint[] {
  const conditions = config.syscalls?.find(({ names }) => names.includes(name))?.args ?? [];
  const made = [...values];
  for (const { index, value } of conditions) if (at % 3 !== index % 3) made[index] = BigInt.asUintN(64, BigInt(value) + BigInt(offset));
  return made;
}

function story(config: LinuxSeccomp): string {
  return JSON.stringify(config, (_key, one: unknown) => (typeof one === 'bigint' ? String(one) : one));
}
