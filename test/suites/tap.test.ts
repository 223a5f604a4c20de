import { expect, test } from 'bun:test';
import { parseTap } from './tap.ts';

type Case = readonly [what: string, text: string, exitCode: number, results: readonly (readonly [name: string, outcome: string, detail: string])[]];

const cases: readonly Case[] = [
  [
    'bats',
    '1..2\nok 1 runc delete\nnot ok 2 runc run # twice\n# (in test file x.bats, line 3)\n#   failed',
    1,
    [
      ['runc delete', 'ok', ''],
      ['runc run # twice', 'not ok', '# (in test file x.bats, line 3)\n#   failed'],
    ],
  ],
  [
    'crun',
    '1..2\nok 1 - umask # 0.012s\nok 2 - idmap #SKIP requires root # 0.000s',
    0,
    [
      ['umask', 'ok', ''],
      ['idmap', 'skip', 'requires root'],
    ],
  ],
  ['one that took too long', '1..1\nnot ok 1 runc run # timeout after 60s', 1, [['runc run', 'not ok', '']]],
  ['a skip', '1..1\nok 1 checkpoint # skip test requires criu', 0, [['checkpoint', 'skip', 'test requires criu']]],
  [
    'runtime-tools',
    'TAP version 13\nok 1 - has expected hostname\nnot ok 2 - mounts\n  ---\n  {"error": "x"}\n  ...\n1..2',
    0,
    [
      ['has expected hostname', 'ok', ''],
      ['mounts', 'not ok', '  ---\n  {"error": "x"}\n  ...'],
    ],
  ],
  ['SKIP with no name', '1..1\nok 1 # SKIP no systemd', 0, [['', 'skip', 'no systemd']]],
  [
    'a name that comes twice',
    '1..2\nok 1 - kill\nnot ok 2 - kill',
    1,
    [
      ['kill', 'ok', ''],
      ['kill (2)', 'not ok', ''],
    ],
  ],
  [
    'a suite that stops early',
    '1..3\nok 1 a',
    124,
    [
      ['a', 'ok', ''],
      ['exit', 'not ok', 'exit status 124'],
    ],
  ],
  [
    'fewer than planned',
    '1..3\nok 1 a',
    0,
    [
      ['a', 'ok', ''],
      ['exit', 'not ok', '1 results of 3, exit status 0'],
    ],
  ],
  ['no TAP at all', '', 2, [['exit', 'not ok', 'exit status 2']]],
  [
    'an error without an assertion',
    'TAP version 13\n  ---\n  {\n  "error": "order"\n  }\n  ...\n1..0\n',
    0,
    [['exit', 'not ok', '  ---\n  {\n  "error": "order"\n  }\n  ...']],
  ],
  ['output before the assertions', 'TAP version 13\n  ---\n  {\n  "stderr": ""\n  }\n  ...\nok 1 - a\n1..1', 0, [['a', 'ok', '']]],
  ['nothing asserted', 'TAP version 13\n1..0\n', 0, [['exit', 'ok', '']]],
];

test.each(cases)('%s', (_what, text, exitCode, results) => {
  expect(parseTap(text, exitCode).map(({ name, outcome, detail }) => [name, outcome, detail])).toEqual(results.map((result) => [...result]));
});
