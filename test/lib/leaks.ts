import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { PeerWorld } from './peer-world.ts';
import { until } from './until.ts';
import type { World } from './world.ts';

const settleMs = 3_000;

/** What a world holds at one moment, by kind; each thing as a line that names it. */
export type Snapshot = Readonly<Record<string, readonly string[]>>;

export interface SnapshotOptions {
  /** Directories (an engine's data and exec roots) whose files are counted in. */
  readonly trees?: readonly string[];
  /** Paths below `trees` that may come and go, such as a database's journal. */
  readonly ignore?: RegExp;
  /** Processes whose open descriptors are counted in: a daemon. */
  readonly descriptorsOf?: readonly number[];
}

/** What a runtime without networking may leave behind in a world: all of it is read from /proc and cgroupfs, without a command. */
export function kernelSnapshot(world: World, options: SnapshotOptions = {}): Snapshot {
  const pids = world.pids();
  return {
    mount: mounts(world),
    cgroup: world.cgroups(),
    'network namespace': unique(pids.map((pid) => readLink(world.procPath(pid, 'ns/net')))),
    link: links(world),
    process: pids.map((pid) => describe(world, pid)).filter((text) => text !== ''),
    socket: sockets(world),
    file: (options.trees ?? []).flatMap((tree) => files(tree)).filter((path) => !options.ignore?.test(path)),
    descriptor: (options.descriptorsOf ?? []).flatMap((pid) => descriptors(world, pid)),
  };
}

/** Everything that a container may leave behind in a world. Commands run in the peer root, which has nft and ip. */
export async function snapshot(peers: PeerWorld, options: SnapshotOptions = {}): Promise<Snapshot> {
  return {
    ...kernelSnapshot(peers.world, options),
    link: await lines(peers, ['ip', '-o', 'link'], (line) => line.split(': ')[1]),
    address: await lines(peers, ['ip', '-o', 'addr'], (line) => (line.includes('fe80::') ? '' : line.split(/\s+/).slice(1, 4).join(' '))),
    route: await lines(peers, ['ip', 'route', 'show', 'table', 'all'], withoutCarrier),
    'packet rule': await lines(peers, ['nft', 'list', 'ruleset'], withoutCounters),
  };
}

/** A snapshot to compare with later, while no container runs: the links of those that have ended are gone. The kernel takes them away at leisure. */
export async function idleSnapshot(peers: PeerWorld, options: SnapshotOptions = {}): Promise<Snapshot> {
  return await until('no link of a container to be left', async () => {
    const seen = await snapshot(peers, options);
    return (seen['link'] ?? []).some((name) => name.startsWith('veth')) ? undefined : seen;
  });
}

/** What is in one snapshot alone, a line each: "mount gained: …", "link lost: …". Empty when nothing leaked. */
export function leaks(before: Snapshot, after: Snapshot): string[] {
  return Object.keys(before).flatMap((kind) => [
    ...beyond(after[kind] ?? [], before[kind] ?? []).map((line) => `${kind} gained: ${line}`),
    ...beyond(before[kind] ?? [], after[kind] ?? []).map((line) => `${kind} lost: ${line}`),
  ]);
}

/** What is left of what was made since `before`. */
export async function leaksSince(before: Snapshot, peers: PeerWorld, options: SnapshotOptions = {}): Promise<string[]> {
  return await settledLeaks(before, async () => await snapshot(peers, options));
}

/** As `leaks`. The kernel takes a network namespace and its links apart after its last process, and tells nobody: they have a moment. */
export async function settledLeaks(before: Snapshot, look: () => Promise<Snapshot>, isExpected: (line: string) => boolean = () => false): Promise<string[]> {
  let left: string[] = [];
  const settled = async (): Promise<boolean> => {
    left = leaks(before, await look()).filter((line) => !isExpected(line));
    return left.length === 0;
  };
  await until('nothing to be left', settled, settleMs).catch(() => undefined);
  return left;
}

/** `lines` without one occurrence of each of `known`. */
function beyond(lines: readonly string[], known: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const line of known) left.set(line, (left.get(line) ?? 0) + 1);
  return lines.filter((line) => {
    const count = left.get(line) ?? 0;
    left.set(line, count - 1);
    return count <= 0;
  });
}

function mounts(world: World): string[] {
  const text = readFileSync(`/proc/${world.pid}/mountinfo`, 'utf8').trim();
  return text.split('\n').map((line) => {
    const fields = line.split(' ');
    return `${fields[4]} (${fields.slice(fields.indexOf('-') + 1, fields.indexOf('-') + 3).join(' ')})`;
  });
}

/** A process's pid and command line; empty for one that has just ended, and for the commands that look. */
function describe(world: World, pid: number): string {
  try {
    if (/^State:\s*[ZX]/m.test(world.proc(pid, 'status'))) return `${pid} zombie of ${world.status(pid, 'PPid')}: ${world.status(pid, 'Name')}`;
    return `${pid} ${world.proc(pid, 'cmdline').replaceAll('\0', ' ').trim()}`;
  } catch {
    return '';
  }
}

/** Listening and bound sockets of the world's network namespace: tcp state 0A is LISTEN; named unix sockets. */
function sockets(world: World): string[] {
  const table = (name: string): string[][] =>
    readFileSync(`/proc/${world.pid}/net/${name}`, 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/));
  const inet = ['tcp', 'tcp6'].flatMap((name) =>
    table(name)
      .filter((row) => row[3] === '0A')
      .map((row) => `${name} ${row[1]}`),
  );
  const datagrams = ['udp', 'udp6', 'raw', 'raw6'].flatMap((name) => table(name).map((row) => `${name} ${row[1]}`));
  const unix = table('unix')
    .filter((row) => row[7] !== undefined && row[3] === '00010000')
    .map((row) => `unix ${row[7]}`);
  return [...inet, ...datagrams, ...unix];
}

/** /proc/net/dev has two lines of headings, then one a link. */
function links(world: World): string[] {
  const text = readFileSync(`/proc/${world.pid}/net/dev`, 'utf8').trim();
  return text
    .split('\n')
    .slice(2)
    .map((line) => line.split(':')[0]?.trim() ?? '');
}

function files(dir: string): string[] {
  try {
    return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
      const path = join(dir, entry.name);
      return entry.isDirectory() ? [`${path}/`, ...files(path)] : [path];
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** What a process's descriptors point at; socket and pipe numbers differ from open to open and are left out. */
function descriptors(world: World, pid: number): string[] {
  return readdirSync(world.procPath(pid, 'fd'))
    .map((fd) => readLink(world.procPath(pid, 'fd', fd)).replace(/\[\d+\]$/, ''))
    .filter((target) => target !== '');
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // the process or descriptor has just gone
  }
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)].filter((value) => value !== '');
}

function withoutCounters(line: string): string {
  return line.replace(/counter packets \d+ bytes \d+/, 'counter').trim();
}

/** A bridge without ports has no carrier, and loses its IPv6 routes then: that comes and goes by itself. */
function withoutCarrier(line: string): string {
  return /fe80::|ff00::/.test(line) ? '' : line.replace(' linkdown', '').trim();
}

async function lines(peers: PeerWorld, argv: readonly string[], pick: (line: string) => string | undefined = (line) => line): Promise<string[]> {
  const text = await peers.output(argv);
  return text
    .split('\n')
    .map((line) => pick(line) ?? '')
    .filter((line) => line.trim() !== '');
}
