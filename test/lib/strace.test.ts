import { expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { childrenOf, matchOperation, parseCalls, readTrace } from './strace.ts';

const log = `10 clone3({flags=CLONE_NEWNS}, 88) = 11
10 read(3,  <unfinished ...>
11 mount(NULL, "/", NULL, MS_REC|MS_SLAVE, NULL) = 0
11 --- SIGCHLD {si_signo=SIGCHLD} ---
10 <... read resumed>"x", 1) = 1
11 fsopen("proc", 0) = 5
11 fsconfig(5, FSCONFIG_CMD_CREATE, NULL, NULL, 0) = 0
11 fsmount(5, 0, 0) = 6
11 +++ exited with 0 +++
`;

test('a trace is read into calls, and matched against what an operation says it does', () => {
  const dir = mkdtempSync(join(tmpdir(), 'strake-strace-'));
  writeFileSync(join(dir, 'log'), log);
  const calls = readTrace(join(dir, 'log'));
  rmSync(dir, { recursive: true });
  expect(calls.map((call) => `${call.pid} ${call.name}`)).toEqual(['10 clone3', '10 read', '11 mount', '11 fsopen', '11 fsconfig', '11 fsmount']);
  expect(calls[1]?.text).toBe('(3, "x", 1) = 1');
  expect(childrenOf(calls, 10)).toEqual([11]);
  const init = calls.filter((call) => call.pid === 11);
  expect(matchOperation(init, 0, 'mount')).toMatchObject({ end: 1 });
  expect(matchOperation(init, 1, '[setns] fsopen fsconfig* fsmount close*')).toMatchObject({ end: 4 });
  expect(matchOperation(init, 1, 'openat2 fsopen')).toMatchObject({ wanted: 'openat2', saw: { name: 'fsopen' } });
  expect(parseCalls('a [b|c] d*')).toEqual([
    { names: ['a'], optional: false, repeated: false },
    { names: ['b', 'c'], optional: true, repeated: true },
    { names: ['d'], optional: true, repeated: true },
  ]);
});
