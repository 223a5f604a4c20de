import { StrakeError } from '../../base/index.ts';
import type { LinuxSeccomp } from '../../oci/index.ts';
import { isPermissive, returnValue, returnValues, strictness } from './actions.ts';
import { auditArch, filterArchitectures, isNarrow, multiplexedCall, type SeccompArch, syscallNumbers, x32Bit } from './architectures.ts';
import { type BpfInstruction, bpf, branch, encodeBpf, instruction, maxBpfInstructions } from './bpf.ts';
import { type Condition, compileRule, parseCondition } from './conditions.ts';
import { filterFlags } from './flags.ts';

const enosys = 38;

export interface CompileSeccompOptions {
  /** the machine's architecture */
  readonly native: 'x86_64' | 'aarch64';
  /** answer ENOSYS instead of a denying default for calls newer than any that the rules name, as runc does; on unless false */
  readonly enosysForNewer?: boolean;
}

export interface SeccompFilter {
  /** struct sock_filter array */
  readonly filter: Buffer;
  /** SECCOMP_FILTER_FLAG_* */
  readonly flags: number;
}

interface Rule {
  readonly conditions: readonly Condition[];
  readonly result: number;
}

/** What happens to one system call: the first rule that holds, else the fallback. */
interface Verdict {
  readonly rules: Rule[];
  unconditional: number | undefined;
}

/**
 * Compiles linux.seccomp to a classic BPF filter. As libseccomp under runc: several args of a rule must all hold (two on the same argument are
 * two rules), several rules for a name are alternatives, a rule with the default's action is redundant, names that an architecture does not have are
 * skipped, a call of an architecture that the filter lacks kills the thread, 32-bit architectures and x32 compare the low word, and on i386 a
 * name also means its form within socketcall and ipc. Where rules of a name disagree, the strictest that holds wins; a condition that socketcall hides
 * behind a pointer never allows it (libseccomp forgets the condition there: AF_ALG by int 0x80).
 */
export function compileSeccomp(config: LinuxSeccomp, options: CompileSeccompOptions): SeccompFilter {
  const fallback = returnValue(config.defaultAction, config.defaultErrnoRet);
  checkNotify(config, fallback);
  const architectures = filterArchitectures(options.native, config.architectures ?? []);
  const stub = options.enosysForNewer !== false && !isPermissive(fallback) && fallback !== (returnValues.errno | enosys);
  const bodies = new Map(architectures.map((arch) => [arch, compileArchitecture(config, arch, fallback, stub)]));
  const badArchitecture = [instruction(bpf.return, returnValues.killThread)];
  let code: BpfInstruction[] = badArchitecture;
  for (const arch of architectures.toReversed()) {
    if (arch === 'x32') continue;
    const body = bodies.get(arch) ?? [];
    const withX32 = arch === 'x86_64' ? branch(bpf.jumpGreaterEqual, x32Bit, bodies.get('x32') ?? badArchitecture, body) : body;
    code = branch(bpf.jumpEqual, auditArch[arch], [instruction(bpf.loadWord, 0), ...withX32], code);
  }
  code = [instruction(bpf.loadWord, 4), ...code];
  if (code.length > maxBpfInstructions)
    throw new StrakeError('ResourceExhausted', `seccomp profile makes a filter of ${code.length} instructions, at most ${maxBpfInstructions} are possible`, {
      fields: { layer: 'kernel' },
    });
  return { filter: encodeBpf(code), flags: filterFlags(config) };
}

/** The dispatch on the number, which is in the accumulator, as a tree over ranges that share a verdict. */
function compileArchitecture(config: LinuxSeccomp, arch: SeccompArch, fallback: number, stub: boolean): BpfInstruction[] {
  const { verdicts, newest } = collectVerdicts(config, arch, fallback);
  const offset = arch === 'x32' ? x32Bit : 0;
  const ranges: { readonly start: number; readonly key: string; readonly code: readonly BpfInstruction[] }[] = [];
  const add = (start: number, code: readonly BpfInstruction[], key: string) => {
    const last = ranges.at(-1);
    if (last?.start === start) ranges.pop();
    if (ranges.at(-1)?.key !== key) ranges.push({ start, code, key });
  };
  const addReturn = (start: number, value: number) => add(start, [instruction(bpf.return, value)], String(value));
  addReturn(offset, fallback);
  for (const [number, verdict] of [...verdicts].sort(([a], [b]) => a - b)) {
    const result = verdict.unconditional ?? fallback;
    const rules = verdict.rules.filter((rule) => rule.result !== result).sort((a, b) => strictness(a.result) - strictness(b.result));
    if (rules.length === 0) addReturn(offset + number, result);
    else
      add(
        offset + number,
        [...rules.flatMap((rule) => compileRule(rule.conditions, isNarrow(arch), rule.result)), instruction(bpf.return, result)],
        `call ${number}`,
      );
    addReturn(offset + number + 1, fallback);
  }
  if (stub && newest !== undefined) addReturn(offset + newest + 1, returnValues.errno | enosys);
  return decisionTree(ranges);
}

function decisionTree(ranges: readonly { readonly start: number; readonly code: readonly BpfInstruction[] }[]): BpfInstruction[] {
  const middle = ranges.length >> 1;
  const range = ranges[middle];
  if (middle === 0 || !range) return [...(ranges[0]?.code ?? [])];
  return branch(bpf.jumpGreaterEqual, range.start, decisionTree(ranges.slice(middle)), decisionTree(ranges.slice(0, middle)));
}

function collectVerdicts(config: LinuxSeccomp, arch: SeccompArch, fallback: number): { verdicts: ReadonlyMap<number, Verdict>; newest: number | undefined } {
  const numbers = syscallNumbers(arch);
  const verdicts = new Map<number, Verdict>();
  let newest: number | undefined;
  const add = (name: string, rules: readonly Rule[]) => {
    const number = numbers.get(name);
    if (number === undefined) return;
    const verdict = verdicts.get(number) ?? { rules: [], unconditional: undefined };
    verdicts.set(number, verdict);
    for (const rule of rules) {
      if (rule.conditions.length > 0) verdict.rules.push(rule);
      else if (verdict.unconditional === undefined || strictness(rule.result) < strictness(verdict.unconditional)) verdict.unconditional = rule.result;
    }
  };
  for (const call of config.syscalls ?? []) {
    const result = returnValue(call.action, call.errnoRet);
    const alternatives = conditionSets((call.args ?? []).map(parseCondition));
    for (const name of call.names) {
      const number = numbers.get(name);
      if (number !== undefined) newest = Math.max(newest ?? 0, number);
      if (result === fallback) continue;
      add(
        name,
        alternatives.map((conditions) => ({ conditions, result })),
      );
      const within = multiplexedCall(arch, name);
      if (!within) continue;
      const hidden = alternatives.some((conditions) => conditions.length > 0);
      if (hidden && strictness(result) > strictness(fallback)) continue;
      add(within[0], [{ conditions: [{ index: 0, operator: 'SCMP_CMP_EQ', value: BigInt(within[1]), valueTwo: 0n }], result }]);
    }
  }
  return { verdicts, newest };
}

/** One set of conditions, or, when an argument occurs twice, each on its own: runc's reading of older profiles. */
function conditionSets(conditions: readonly Condition[]): readonly (readonly Condition[])[] {
  const distinct = new Set(conditions.map(({ index }) => index)).size === conditions.length;
  return distinct ? [conditions] : conditions.map((condition) => [condition]);
}

/** The descriptor of a listener has to be sent before the supervisor can answer. */
function checkNotify(config: LinuxSeccomp, fallback: number): void {
  const refuse = (message: string) => {
    throw new StrakeError('InvalidArgument', message, { fields: { layer: 'kernel' } });
  };
  if (fallback === returnValues.notify) refuse('SCMP_ACT_NOTIFY cannot be used as default action');
  const notifies = (config.syscalls ?? []).filter((call) => call.action === 'SCMP_ACT_NOTIFY');
  for (const name of ['write', 'sendmsg'])
    if (notifies.some((call) => call.names.includes(name))) refuse(`SCMP_ACT_NOTIFY cannot be used for the ${name} syscall`);
  if (notifies.length > 0 && !config.listenerPath) refuse('SCMP_ACT_NOTIFY needs a listenerPath');
}
