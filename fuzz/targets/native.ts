import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { encodeFrame, frameTypes } from '../../src/kernel/index.ts';
import { encodeOperations, encodeProgram, type Op, opTable } from '../../src/kernel/program/index.ts';
import { compileCreate, defaultSpec } from '../../src/runtime/index.ts';
import { nativeBuild } from '../build.ts';
import { compileOptions } from '../machine.ts';
import type { Target } from '../target.ts';

/** The bytes of a connection as fuzz/native/monitor.c takes them: what happens, to which client, how much follows. */
const send = (client: number, bytes: Uint8Array) => Buffer.concat([Buffer.from([(client << 4) | 5, bytes.length]), bytes]);

/** One value of each type, for a first program with every operation. */
const values = { u32: 1, u64: 2n, i32: -1, i64: -1n, str: '/a', bytes: Buffer.from('bytes'), strs: ['A=b', 'c'], slot: 3 } as const;

function everyOperation(): Op[] {
  return Object.entries(opTable).map(([op, { fields }]) => {
    const side = op.startsWith('file_') ? 'file' : 'host';
    return {
      op,
      side,
      ...Object.fromEntries(fields.map(([type, name]) => [name.replace(/_(\w)/g, (_all, letter: string) => letter.toUpperCase()), values[type]])),
    };
  }) as unknown as Op[];
}

function firstPrograms(): Buffer[] {
  const every = everyOperation();
  const ours = compileOptions.slice(0, 1).map((options) => encodeProgram(compileCreate({ ...defaultSpec(), process: { cwd: '/', args: ['sh'] } }, options)));
  const alone = every.map((op) => (op.side === 'file' ? encodeOperations([op]) : encodeProgram([op])));
  return [...ours, ...alone, encodeOperations(every.filter(({ side }) => side === 'file'))];
}

function firstConnections(): Buffer[] {
  const words = (...numbers: number[]) => {
    const buffer = Buffer.alloc(4 * numbers.length);
    numbers.forEach((number, index) => void buffer.writeUInt32LE(number, 4 * index));
    return buffer;
  };
  const { attach, signal, resize, stdin, stdinEof, wait, start, reopenLog, handOver } = frameTypes;
  const frames = [
    encodeFrame(attach, words(15)),
    encodeFrame(signal, words(9, 1)),
    encodeFrame(resize, words(24, 80)),
    encodeFrame(stdin, Buffer.from('input')),
    ...[stdinEof, wait, start, reopenLog, handOver].map((type) => encodeFrame(type)),
  ];
  const events = [0, 1, 2, 3, 4].map((event) => Buffer.from([event, 0]));
  const all = Buffer.concat([...frames.map((frame) => send(1, frame)), ...events]);
  // A frame in two pieces too.
  return [...frames.flatMap((frame) => [send(0, frame), Buffer.concat([send(1, frame.subarray(0, 5)), send(1, frame.subarray(5))])]), all];
}

function nativeTarget(name: string, corpus: () => readonly Buffer[]): Target {
  return (runs, seed) => {
    const program = path.join(nativeBuild('all'), `fuzz-${name}`);
    const directory = mkdtempSync(path.join(tmpdir(), 'strake-fuzz-'));
    try {
      const files = corpus().map((bytes, index) => {
        const file = path.join(directory, String(index));
        writeFileSync(file, bytes);
        return file;
      });
      // The programs of the corpus are never freed, as strake-init ends with them.
      const env = { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' };
      const { status, stdout, stderr } = spawnSync(program, [String(runs), String(seed), ...files], { encoding: 'utf8', cwd: directory, env });
      const crash = readdirSync(directory).find((file) => file.startsWith('crash-'));
      if (crash !== undefined) renameSync(path.join(directory, crash), `fuzz-${name}-${crash}`);
      if (status !== 0) throw new Error(`${stderr}${stdout}${crash === undefined ? '' : `the input is in ./fuzz-${name}-${crash}`}`);
      console.log(`       ${name}: ${stdout.trim()}`);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  };
}

/** Programs and file operations: fuzz/native/program.c. */
export const program = nativeTarget('program', firstPrograms);
/** What the monitor is sent: fuzz/native/monitor.c. */
export const monitor = nativeTarget('monitor', firstConnections);
