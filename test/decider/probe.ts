/** What is asked of Node's modules, on Bun and in the decider; the answers must be the same, as JSON. Runs in an empty directory, its argument. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { constants } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { formatJson, parseJson } from '../../src/oci/index.ts';

const text = 'größer – 𝄞 \0 "end"';

/** The answer, or the error as far as the runtime looks at errors. */
async function answer(ask: () => unknown): Promise<unknown> {
  try {
    return (await ask()) ?? 'nothing';
  } catch (error) {
    const { code, syscall, path: file } = error as NodeJS.ErrnoException;
    return { code, syscall, file };
  }
}

function buffers(): unknown {
  const bytes = Buffer.alloc(48, 0xee);
  const ends = [
    bytes.writeUInt16LE(0xfffe, 0),
    bytes.writeInt16LE(-2, 2),
    bytes.writeUInt32LE(0xfffffffe, 4),
    bytes.writeUInt32BE(0x01020304, 8),
    bytes.writeInt32LE(-3, 12),
    bytes.writeInt32BE(-4, 16),
    bytes.writeBigUInt64LE(0xfffffffffffffffdn, 20),
    bytes.writeBigInt64LE(-5n, 28),
    bytes.writeUInt8(7, 36),
    bytes.writeUInt16BE(0x0102, 37),
    bytes.write('ä', 40),
    bytes.write('ab', 'latin1'),
  ];
  const read = [
    bytes.readUInt16LE(0),
    bytes.readUInt32LE(4),
    bytes.readUInt32BE(8),
    bytes.readInt32LE(12),
    String(bytes.readBigUInt64LE(20)),
    String(bytes.readBigInt64LE(28)),
    bytes.readUInt8(36),
  ];
  const parts = [
    Buffer.from(text),
    Buffer.from('\ud800 \udfff\ud7ff \ud834\udd1e \udd1e\ud834'),
    Buffer.from('äöü', 'latin1'),
    Buffer.from('00ff7f', 'hex'),
    Buffer.from([1, 2, 300]),
    Buffer.from(new Uint8Array([9, 8]).buffer),
  ];
  const whole = Buffer.concat(parts);
  return {
    ends,
    read,
    bytes: [...bytes],
    whole: [...whole],
    texts: ['utf8', 'latin1', 'hex', 'base64'].map((encoding) => whole.toString(encoding as BufferEncoding)),
    ranges: [whole.toString('utf8', 2, 5), whole.toString('latin1', 1000), whole.toString('latin1', 3, 2)],
    invalid: Buffer.from([0x61, 0xff, 0xc3, 0x28, 0xe2, 0x82]).toString(),
    lengths: [Buffer.byteLength(text), Buffer.alloc(3).length, Buffer.allocUnsafe(4).length],
    equal: [whole.equals(Buffer.concat(parts)), whole.equals(whole.subarray(1))],
    copied: whole.subarray(1, 3).copy(bytes, 5),
    part: whole.subarray(1, 4).toString('hex'),
  };
}

async function files(root: string): Promise<unknown> {
  const at = (name: string) => path.join(root, name);
  const asks: (() => unknown)[] = [
    () => void fs.mkdirSync(at('a/b/c'), { recursive: true, mode: 0o750 }),
    () => fs.mkdirSync(at('a/b/c'), { recursive: true }),
    () => fs.mkdirSync(at('a')),
    () => fs.mkdirSync(at('x/y')),
    () => fs.writeFileSync(at('a/file'), text, { mode: 0o640 }),
    () => fs.writeFileSync(at('a/file'), text, { flag: 'wx' }),
    () => fs.writeFileSync(at('none/file'), text),
    () => fs.readFileSync(at('a/file'), 'utf8'),
    () => fs.readFileSync(at('a/file'), 'latin1'),
    () => [...fs.readFileSync(at('a/file'))],
    () => fs.readFileSync(at('none'), 'utf8'),
    () => fs.readFileSync('/proc/self/stat', 'latin1').length > 0,
    () => fs.statSync(at('a/file')).mode,
    () => fs.statSync(at('a/file')).size,
    () => fs.statSync(at('a')).isDirectory(),
    () => fs.statSync(at('a/file')).isFile(),
    () => fs.statSync(at('none')),
    () => fs.statSync(at('none'), { throwIfNoEntry: false }),
    () => fs.chmodSync(at('a/file'), 0o1600),
    () => fs.statSync(at('a/file')).mode,
    () => fs.accessSync(at('a/file'), fs.constants.X_OK),
    () => fs.accessSync(at('a'), fs.constants.X_OK),
    () => [fs.existsSync(at('a')), fs.existsSync(at('none'))],
    () => fs.readlinkSync('/proc/self/ns/user').startsWith('user:['),
    () => fs.readlinkSync(at('a/file')),
    () => fs.readdirSync(at('a')).sort(),
    () => fs.readdirSync(at('a'), { recursive: true }).sort(),
    () => fs.readdirSync(at('none')),
    () => fs.readdirSync(at('a/file')),
    () => fs.renameSync(at('a/file'), at('moved')),
    () => fs.renameSync(at('none'), at('moved')),
    () => fs.rmSync(at('none')),
    () => fs.rmSync(at('none'), { force: true }),
    () => fs.rmSync(at('a'), { recursive: true, force: true }),
    () => fs.existsSync(at('a')),
    () => readFile(at('moved'), 'utf8'),
    () => readFile(at('none'), 'utf8'),
    async () => (await readdir(root, { withFileTypes: true })).map((entry) => [entry.name, entry.isDirectory()]),
    () => readdir(at('none'), { withFileTypes: true }),
  ];
  const answers: unknown[] = [];
  for (const ask of asks) answers.push(await answer(ask));
  return answers;
}

/** What it is, or where it stops being JSON; why is in each engine's own words. */
function jsonOf(document: string): unknown {
  try {
    return formatJson(parseJson(document, 'it'));
  } catch (error) {
    const { line, column } = (error as { readonly fields: { readonly line?: number; readonly column?: number } }).fields;
    return [line, column];
  }
}

/** A document with small mistakes, always the same ones. */
function documents(): unknown[] {
  const whole =
    '{"a": [1, -0.5e+3, 9223372036854775807, true, null], "b\\u00e4\\n\\"": {"c": "x.y 1. \\ud834\\udd1e", "d": [[], {}]},\n"__proto__": {"e": "integer 1"}}';
  const pieces = ['', '0', '1.', '-', 'e', '"', '\\', '\\x41', '\\u12', ',', ':', '[', ']', '{', '}', ' ', '\t', '\n', '\0', '/**/', "'", 'ä', 'NaN', '\ufeff'];
  return Array.from(whole).flatMap((_, at) =>
    pieces.map((piece) => [jsonOf(whole.slice(0, at) + piece + whole.slice(at)), jsonOf(whole.slice(0, at) + piece + whole.slice(at + 1))]),
  );
}

function refuses(ask: () => unknown): boolean {
  try {
    ask();
    return false;
  } catch {
    return true;
  }
}

/** A path ends nowhere before its end. */
function withNul(root: string): boolean[] {
  const file = `${root}\0/none`;
  return [
    () => fs.statSync(file),
    () => fs.readFileSync(file),
    () => fs.readdirSync(file),
    () => fs.writeFileSync(file, ''),
    () => fs.mkdirSync(file),
    () => fs.renameSync(root, file),
    () => fs.readlinkSync(`/proc/self/exe\0`),
    () => spawnSync('echo', ['a\0b']),
  ].map(refuses);
}

function descriptors(root: string): unknown {
  const file = path.join(root, 'log');
  for (const flags of ['w', 'as', 'a']) {
    const descriptor = fs.openSync(file, flags, 0o600);
    fs.writeSync(descriptor, text);
    fs.writeSync(descriptor, Buffer.from('12345'), 2);
    fs.closeSync(descriptor);
  }
  const descriptor = fs.openSync(file, fs.constants.O_RDONLY);
  const data = Buffer.alloc(8);
  const counts = [fs.readSync(descriptor, data, 1, 3, null), fs.readSync(descriptor, data, 4, 4, null)];
  const rest = fs.readFileSync(descriptor, 'latin1');
  fs.closeSync(descriptor);
  return { counts, data: [...data], rest };
}

function processes(): unknown {
  return {
    arch: process.arch,
    cwd: process.cwd(),
    user: process.geteuid?.(),
    group: process.getegid?.(),
    variable: process.env['PROBE'],
    none: process.env['NO_SUCH_VARIABLE'],
    parent: fs.existsSync(`/proc/${process.ppid}`),
    echo: spawnSync('echo', ['a b', 'ü'], { encoding: 'utf8' }).stdout,
    status: spawnSync('sh', ['-c', 'echo wrong >&2; exit 3'], { encoding: 'utf8' }).status,
    wrong: spawnSync('sh', ['-c', 'echo wrong >&2; exit 3'], { encoding: 'utf8' }).stderr,
    missing: (spawnSync('no-such-program', [], { encoding: 'utf8' }).error as NodeJS.ErrnoException).code,
    // The caller's descriptors are not for others.
    inherited: spawnSync('sh', ['-c', 'ls /proc/$$/fd'], { encoding: 'utf8' }).stdout,
    brokenPipe: spawnSync('sh', ['-c', 'kill -PIPE $$; echo alive'], { encoding: 'utf8' }).stdout,
    errno: constants.errno.ENOENT,
    signal: constants.signals.SIGTERM,
    random: randomBytes(8).length,
  };
}

const root = process.argv.at(-1) ?? '';
const before = performance.now();
await setTimeout(5);
const slept = performance.now() - before >= 4;
const gone = await answer(() => process.kill(0x3fffffff, 'SIGKILL'));
fs.writeSync(
  1,
  JSON.stringify({
    buffers: buffers(),
    documents: documents(),
    nul: withNul(root),
    files: await files(root),
    descriptors: descriptors(root),
    processes: processes(),
    slept,
    gone,
  }),
);
