import { readFileSync } from 'node:fs';

/** One system call as strace printed it. */
export interface Call {
  readonly pid: number;
  readonly name: string;
  /** The arguments and the result, as text. */
  readonly text: string;
}

/** The calls in a `strace -f -o FILE` log, in order of their start; a call that was interrupted by another thread's is one call. */
export function readTrace(file: string): Call[] {
  const calls: Call[] = [];
  const open = new Map<number, { name: string; text: string; at: number }>();
  for (const line of readFileSync(file, 'latin1').split('\n')) {
    const [, pidText = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const pid = Number(pidText);
    const resumed = /^<\.\.\. (\w+) resumed>(.*)$/.exec(rest);
    if (resumed) {
      const begun = open.get(pid);
      open.delete(pid);
      if (begun) calls[begun.at] = { pid, name: begun.name, text: begun.text + resumed[2] };
      continue;
    }
    const [, name = '', text = ''] = /^(\w+)(\(.*)$/.exec(rest) ?? [];
    if (name === '') continue; // a signal or an exit
    if (text.includes('<unfinished ...>')) open.set(pid, { name, text: text.replace(/ ?<unfinished \.\.\.>$/, ''), at: calls.length });
    calls.push({ pid, name, text });
  }
  return calls;
}

/** Children of `pid` in the trace, in order: results of its clone, clone3, fork and vfork. */
export function childrenOf(calls: readonly Call[], pid: number): number[] {
  return calls
    .filter((call) => call.pid === pid && /^(clone3?|v?fork)$/.test(call.name))
    .map((call) => Number(/= (\d+)[^=]*$/.exec(call.text)?.[1] ?? 0))
    .filter((child) => child > 0);
}

/**
 * What any program does beside its operations: memory, signals, clocks, and the hand-over between the two processes and the daemon. None of
 * these changes anything outside of the process.
 */
const quiet = new Set(
  'mmap munmap mremap brk madvise mprotect rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack signalfd4 getpid gettid getppid clock_gettime getrandom set_robust_list set_tid_address rseq arch_prctl prlimit64 futex fcntl fstat newfstatat lseek close read write readv writev recvmsg recvfrom sendmsg sendto poll ppoll epoll_create1 epoll_ctl epoll_wait epoll_pwait pipe2 socketpair dup dup3 wait4 waitid exit exit_group pidfd_open pidfd_send_signal readlink readlinkat statx fstatfs getdents64 sched_yield restart_syscall accept4 setsockopt getsockopt'.split(
    ' ',
  ),
);

interface Token {
  readonly names: readonly string[];
  readonly optional: boolean;
  readonly repeated: boolean;
}

/** `openat2 [setns] fsconfig* [open_tree|fsopen]*` → tokens; in brackets: sometimes; a bar: one of; a star: any number of times. */
export function parseCalls(text: string): Token[] {
  const tokens: Token[] = [];
  for (const [word] of text.matchAll(/\[[^\]]*\]\*?|\S+/g)) {
    const repeated = word.endsWith('*');
    const bare = word.replace(/\*$/, '');
    if (!bare.startsWith('[')) {
      tokens.push({ names: [bare], optional: repeated, repeated });
      continue;
    }
    const names = bare
      .slice(1, -1)
      .split(/[ |]/)
      .map((name) => name.replace(/\*$/, ''))
      .filter((name) => name !== '');
    tokens.push({ names, optional: true, repeated: true });
  }
  return tokens;
}

/**
 * Takes from `calls`, beginning at `at`, the calls of one operation. Quiet calls may stand anywhere; any other that is not the operation's own
 * ends the match. Answers where it ended and the calls it took, or which name it wanted and what it saw.
 */
export function matchOperation(
  calls: readonly Call[],
  at: number,
  pattern: string,
): { readonly end: number; readonly taken: readonly Call[] } | { readonly wanted: string; readonly saw: Call | undefined } {
  const taken: Call[] = [];
  let position = at;
  for (const token of parseCalls(pattern)) {
    for (let count = 0; count === 0 || token.repeated; count += 1) {
      const found = next(calls, position, token.names);
      if (found === undefined) {
        if (count > 0 || token.optional || token.names.every((name) => quiet.has(name))) break;
        return { wanted: token.names.join('|'), saw: calls.slice(position).find((call) => !quiet.has(call.name)) };
      }
      taken.push(calls[found] as Call);
      position = found + 1;
    }
  }
  return { end: position, taken };
}

/** The index of the next call with one of the names, when only quiet calls stand before it. */
function next(calls: readonly Call[], from: number, names: readonly string[]): number | undefined {
  for (let index = from; index < calls.length; index += 1) {
    const name = (calls[index] as Call).name;
    if (names.includes(name)) return index;
    if (!quiet.has(name)) return undefined;
  }
  return undefined;
}
