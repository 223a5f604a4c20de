import { StrakeError } from '../../base/index.ts';
import type { LinuxSeccomp, SeccompSyscall } from '../../oci/index.ts';
import { isPermissive, returnValue, returnValues, strictness } from './actions.ts';
import {
  architecture,
  filterArchitectures,
  multiplexedCall,
  type SeccompArch,
  type SyscallTable,
  syscallNumber,
  syscallTable,
  x32Bit,
} from './architectures.ts';
import { BpfWriter, bpf, type Place } from './bpf.ts';
import { type Condition, parseCondition, writeConditions } from './conditions.ts';
import { filterFlags } from './flags.ts';

const enosys = 38;
/** struct seccomp_data */
const offsets = { number: 0, arch: 4 } as const;

export interface CompileSeccompOptions {
  /** the machine's architecture */
  readonly native: SeccompArch;
  /** answer ENOSYS instead of a denying default for calls newer than any that the rules name, as runc does; on unless false */
  readonly enosysForNewer?: boolean;
}

export interface SeccompFilter {
  /** struct sock_filter array */
  readonly filter: Uint8Array;
  /** SECCOMP_FILTER_FLAG_* */
  readonly flags: number;
  /** an agent answers for some calls: loading it gives a descriptor */
  readonly notifies: boolean;
}

/** One entry of `syscalls`, checked. */
interface ParsedRule {
  readonly names: readonly string[];
  readonly result: number;
  /** any of them must hold, each with all of its conditions; one without conditions always does */
  readonly alternatives: readonly (readonly Condition[])[];
}

interface ConditionalRule {
  readonly conditions: readonly Condition[];
  readonly result: number;
}

/** What happens to the calls of one architecture, by number less its base. */
interface Verdicts {
  /** what no condition hinders, by number. Plain arrays: without a just-in-time compiler they are the fastest that there is */
  readonly plain: (number | undefined)[];
  /** the numbers in it, as they came */
  readonly numbers: number[];
  readonly conditional: Map<number, ConditionalRule[]>;
  /** the highest number that any rule names */
  newest: number | undefined;
}

/**
 * Compiles linux.seccomp to a classic BPF filter. As libseccomp under runc: several args of a rule must all hold (two on the same argument are
 * two rules), several rules for a name are alternatives, a rule with the default's action is redundant, names that an architecture does not have are
 * skipped, a call of an architecture that the filter lacks kills the thread, 32-bit architectures and x32 compare the low word, and where calls are multiplexed
 * a name also means its form within socketcall and ipc. Where rules of a name disagree, the strictest that holds wins; a condition that socketcall hides
 * behind a pointer never allows it (libseccomp forgets the condition there: AF_ALG by int 0x80).
 */
export function compileSeccomp(config: LinuxSeccomp, options: CompileSeccompOptions): SeccompFilter {
  const fallback = returnValue(config.defaultAction, config.defaultErrnoRet);
  const rules = (config.syscalls ?? []).map(parseRule);
  const notifies = checkNotify(config, fallback);
  const flags = filterFlags(config.flags, notifies);
  const architectures = filterArchitectures(options.native, config.architectures ?? []);
  const stub = options.enosysForNewer !== false && !isPermissive(fallback) && fallback !== (returnValues.errno | enosys);
  const writer = new BpfWriter();
  const { bigEndian } = architecture(options.native);
  const body = (arch: SeccompArch) => writeBody(writer, collectVerdicts(rules, arch, fallback), arch, { fallback, stub, bigEndian: bigEndian ?? false });
  const kill = () => writer.return(returnValues.killThread);
  const has = (arch: SeccompArch) => architectures.includes(arch);
  let next = kill();
  for (const arch of architectures.toReversed()) {
    if (arch === 'X32' && has('X86_64')) continue;
    let start: Place;
    if (arch === 'X86_64' || arch === 'X32') {
      // One number in the audit record for both.
      const x32 = has('X32') ? body('X32') : kill();
      start = writer.branch(bpf.jumpGreaterEqual, x32Bit, x32, has('X86_64') ? body('X86_64') : kill());
    } else start = body(arch);
    writer.continueAt(start);
    next = writer.branch(bpf.jumpEqual, architecture(arch).audit, writer.load(offsets.number), next);
  }
  writer.continueAt(next);
  writer.load(offsets.arch);
  return { filter: writer.encode(bigEndian ?? false), flags, notifies };
}

interface BodyOptions {
  readonly fallback: number;
  /** newer calls get ENOSYS */
  readonly stub: boolean;
  readonly bigEndian: boolean;
}

/** The dispatch on the number, which is in the accumulator: a binary search over ranges of one verdict each. */
function writeBody(writer: BpfWriter, { plain, numbers, conditional, newest }: Verdicts, arch: SeccompArch, { fallback, stub, bigEndian }: BodyOptions): Place {
  const { base = 0, narrow = false } = architecture(arch);
  const starts: number[] = [0];
  // The value to return, or the rules that decide.
  const verdicts: (number | { readonly result: number; readonly rules: readonly ConditionalRule[] })[] = [fallback];
  let last = 0;
  const add = (start: number, verdict: (typeof verdicts)[number]) => {
    if (start === 0) verdicts[0] = verdict;
    if (verdicts[last] === verdict) return;
    last = verdicts.push(verdict) - 1;
    starts.push(start);
  };
  /** one more than the last number */
  let end = 0;
  const sorted = Uint32Array.from(numbers).sort();
  for (let index = 0; index < sorted.length; index += 1) {
    const number = sorted[index] ?? 0;
    // A number with conditions is there once for each of them.
    if (number < end) continue;
    if (number !== end) add(base + end, fallback);
    end = number + 1;
    const result = plain[number] ?? fallback;
    const rules = conditional.get(number)?.filter((rule) => rule.result !== result) ?? [];
    rules.sort((a, b) => strictness(a.result) - strictness(b.result));
    add(base + number, rules.length === 0 ? result : { result, rules });
  }
  if (stub && newest !== undefined) {
    if (end <= newest) add(base + end, fallback);
    add(base + newest + 1, returnValues.errno | enosys);
  } else add(base + end, fallback);
  const layout = { narrow, bigEndian };
  const leaf = (index: number): Place => {
    const verdict = verdicts[index] ?? fallback;
    if (typeof verdict === 'number') return writer.return(verdict);
    let next = writer.return(verdict.result);
    for (const { conditions, result } of verdict.rules.toReversed()) {
      const pass = writer.return(result);
      // The conditions start with a load, which leads to what was written last.
      next = writeConditions(writer, conditions, layout, pass, next);
    }
    return next;
  };
  const search = (from: number, to: number): Place => {
    if (to - from === 1) return leaf(from);
    const middle = (from + to) >> 1;
    const upper = search(middle, to);
    const lower = search(from, middle);
    return writer.branch(bpf.jumpGreaterEqual, starts[middle] ?? 0, upper, lower);
  };
  return search(0, starts.length);
}

function collectVerdicts(rules: readonly ParsedRule[], arch: SeccompArch, fallback: number): Verdicts {
  const table = syscallTable(arch);
  const { multiplexes = false } = architecture(arch);
  const verdicts: Verdicts = { plain: [], numbers: [], conditional: new Map(), newest: undefined };
  let newest = -1;
  for (const rule of rules) {
    const { names, result, alternatives } = rule;
    const always = alternatives.length === 1 && alternatives[0]?.length === 0;
    for (const name of names) {
      if (multiplexes && result !== fallback) addMultiplexed(verdicts, table, name, rule, fallback);
      const number = syscallNumber(table, name);
      if (number === undefined) continue;
      if (number > newest) newest = number;
      if (result === fallback) continue;
      if (always) addPlain(verdicts, number, result);
      else for (const conditions of alternatives) addConditional(verdicts, number, { conditions, result });
    }
  }
  verdicts.newest = newest < 0 ? undefined : newest;
  return verdicts;
}

function addPlain({ plain, numbers }: Verdicts, number: number, result: number): void {
  const known = plain[number];
  if (known === undefined) {
    plain[number] = result;
    numbers.push(number);
  } else if (known !== result && strictness(result) < strictness(known)) plain[number] = result;
}

function addConditional(verdicts: Verdicts, number: number, rule: ConditionalRule): void {
  const known = verdicts.conditional.get(number);
  if (known) known.push(rule);
  else verdicts.conditional.set(number, [rule]);
  verdicts.numbers.push(number);
}

function addMultiplexed(verdicts: Verdicts, table: SyscallTable, name: string, { alternatives, result }: ParsedRule, fallback: number): void {
  const within = multiplexedCall(name);
  const number = within === undefined ? undefined : syscallNumber(table, within[0]);
  if (within === undefined || number === undefined) return;
  const hidden = alternatives.some((conditions) => conditions.length > 0);
  if (hidden && strictness(result) > strictness(fallback)) return;
  const conditions: readonly Condition[] = [{ index: 0, operator: 'SCMP_CMP_EQ', value: BigInt(within[1]), valueTwo: 0n }];
  addConditional(verdicts, number, { conditions, result });
}

function parseRule({ names, action, errnoRet, args }: SeccompSyscall): ParsedRule {
  return { names, result: returnValue(action, errnoRet), alternatives: conditionSets((args ?? []).map(parseCondition)) };
}

/** One set of conditions, or, when an argument occurs twice, each on its own: runc's reading of older profiles. */
function conditionSets(conditions: readonly Condition[]): readonly (readonly Condition[])[] {
  const distinct = new Set(conditions.map(({ index }) => index)).size === conditions.length;
  return distinct ? [conditions] : conditions.map((condition) => [condition]);
}

/** Whether a rule notifies. The descriptor of a listener has to be sent before the agent can answer, which these calls do. */
function checkNotify(config: LinuxSeccomp, fallback: number): boolean {
  const refuse = (message: string) => {
    throw new StrakeError('InvalidArgument', message, { fields: { layer: 'kernel', field: 'linux.seccomp' } });
  };
  if (fallback === returnValues.notify) refuse('SCMP_ACT_NOTIFY cannot be used as default action');
  const notifies = (config.syscalls ?? []).filter((call) => call.action === 'SCMP_ACT_NOTIFY');
  for (const name of ['write', 'sendmsg'])
    if (notifies.some((call) => call.names.includes(name))) refuse(`SCMP_ACT_NOTIFY cannot be used for the ${name} syscall`);
  if (notifies.length > 0 && !config.listenerPath) refuse('seccomp listenerPath is not set');
  return notifies.length > 0;
}
