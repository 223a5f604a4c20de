/**
 * `npm run test:pods [-- --pods N] [--seconds N] [--peers N]`: pods with two containers each on `strake cri`, probed by exec once a second; the daemon is killed in the middle and comes
 * back; then all are removed. Beside it the start of `--peers` pods on the real containerd. Printed as a table; exits with 1 when a promise is broken or something is left.
 */
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { pssKib } from '../../bench/memory.ts';
import { ensurePeers } from '../../tools/peers/peer-root.ts';
import { chainNamed } from '../cri/chains.ts';
import { CriWorld } from '../cri/cri-world.ts';
import { buildIfStale } from '../lib/dist.ts';
import { idleSnapshot, leaksSince } from '../lib/leaks.ts';
import type { Running } from '../lib/process.ts';
import { Fleet } from './fleet.ts';

const socket = '/run/strake/cri.sock';
const mostRssMib = 500;
const mostOfPeers = 0.25;
/** The daemon and its zygote are other processes than before, and its streaming server has another port. */
const restarted = /^(process|socket) (gained|lost): .*(strake cri|zygote|cri\.sock)|^socket (gained|lost): tcp 0100007F:|^process lost: \d+ zombie/;

class Table {
  missed = 0;

  row(what: string, measured: string, isReached: boolean): void {
    console.log(`| ${what} | ${measured} | ${isReached ? 'reached' : '**missed**'} |`);
    if (!isReached) this.missed += 1;
  }
}

async function startOurs(world: CriWorld): Promise<Running> {
  const flags = ['--address', socket, '--root', path.join(world.work, 'strake'), '--registry-config', world.registryConfiguration];
  return await world.startDaemon(['/strake/strake', 'cri', ...flags], /msg=serving/);
}

function percentile(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))] ?? 0;
}

function told(times: readonly number[]): string {
  return `median ${percentile(times, 0.5).toFixed(0)} ms, p99 ${percentile(times, 0.99).toFixed(0)} ms`;
}

/** All processes of ours: the daemon, its zygote, the monitors. */
function memoryOf({ peers: { world } }: CriWorld): { readonly rssMib: number; readonly pssMib: number } {
  const processes = world.pids().map((pid) => memoryOfOne(world, pid));
  const sum = (of: (one: (typeof processes)[number]) => number): number => processes.reduce((total, one) => total + of(one), 0);
  return { rssMib: sum(({ rssKib }) => rssKib) / 1024, pssMib: sum(({ pssKib: kib }) => kib) / 1024 };
}

/** None of what is not ours, or has ended meanwhile: the processes of probes come and go. */
function memoryOfOne(world: CriWorld['peers']['world'], pid: number): { readonly rssKib: number; readonly pssKib: number } {
  const none = { rssKib: 0, pssKib: 0 };
  if (!/strake/.test(world.commandLine(pid))) return none;
  try {
    return { rssKib: Number.parseInt(world.status(pid, 'VmRSS'), 10), pssKib: pssKib(world.procPath(pid, 'smaps_rollup')) };
  } catch (error) {
    if (world.alive(pid)) throw error;
    return none;
  }
}

interface Wanted {
  readonly pods: number;
  readonly seconds: number;
  readonly peers: number;
}

async function playOurs(world: CriWorld, { pods, seconds }: Wanted, table: Table): Promise<readonly number[]> {
  let daemon = await startOurs(world);
  using fleet = new Fleet({ name: 'ours', socket: world.peers.path(socket), logDirectory: path.join(world.work, 'logs/ours') });
  await fleet.pull();
  // The first pod makes what stays: bridges, rules, directories.
  await fleet.start(1);
  await fleet.remove();
  const before = await idleSnapshot(world.peers);
  const times = await fleet.start(pods);
  console.log(`| ${pods} pods of two containers start | ${told(times)} | |`);
  const state = await fleet.state();
  const stop = new AbortController();
  const probing = fleet.probe(stop.signal);
  await delay((seconds * 1_000) / 2);
  const { rssMib, pssMib } = memoryOf(world);
  const killed = performance.now();
  process.kill(daemon.innerPid, 'SIGKILL');
  await daemon.finished;
  daemon = await startOurs(world);
  const back = performance.now();
  await delay((seconds * 1_000) / 2);
  stop.abort();
  const { count, failed } = await probing;
  // Those that were on their way, or came while nobody listened.
  const unexplained = failed.filter(({ begun, ended }) => ended < killed || begun > back);
  table.row(
    `${count} probes by exec, once a second each; the daemon is killed in the middle, and serves again after ${(back - killed).toFixed(0)} ms`,
    `${failed.length} failed, of these ${unexplained.length} not by the kill${unexplained[0] === undefined ? '' : `: ${unexplained[0].why}`}`,
    unexplained.length === 0,
  );
  table.row('containers after the kill', state === (await fleet.state()) ? 'the same, and all run' : 'not the same', state === (await fleet.state()));
  table.row(`RSS of all of ours, under ${mostRssMib} MiB`, `${rssMib.toFixed(0)} MiB (PSS ${pssMib.toFixed(0)} MiB)`, rssMib < mostRssMib);
  await fleet.remove();
  const left = (await leaksSince(before, world.peers)).filter((line) => !restarted.test(line));
  table.row('nothing is left', left.length === 0 ? 'nothing' : `${left.length}: ${left.slice(0, 5).join('; ')}`, left.length === 0);
  await daemon.stop();
  return times;
}

async function playTheirs(world: CriWorld, pods: number): Promise<readonly number[]> {
  const address = await chainNamed('containerd').start(world);
  using fleet = new Fleet({ name: 'theirs', socket: world.peers.path(address.replace(/^unix:\/\//, '')), logDirectory: path.join(world.work, 'logs/theirs') });
  await fleet.pull();
  await fleet.start(1);
  await fleet.remove();
  const times = await fleet.start(pods);
  await fleet.remove();
  return times;
}

function numberOf(text: string | undefined, otherwise: number): number {
  const value = Number(text ?? otherwise);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${text}: a whole number from 1 on is wanted`);
  return value;
}

async function main(argv: readonly string[]): Promise<number> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ args: [...argv], options: { pods: text, seconds: text, peers: text } });
  const pods = numberOf(values.pods, 110);
  const wanted: Wanted = { pods, seconds: numberOf(values.seconds, 300), peers: numberOf(values.peers, pods) };
  if (!buildIfStale()) return 1;
  await ensurePeers();
  await using world = await CriWorld.start();
  const table = new Table();
  console.log('| what | measured | |\n|---|---|---|');
  const ours = await playOurs(world, wanted, table);
  const theirs = await playTheirs(world, wanted.peers);
  const part = percentile(ours, 0.99) / percentile(theirs, 0.99);
  table.row(`p99 of a pod's start beside containerd's (${told(theirs)}), under ${mostOfPeers}`, part.toFixed(2), part < mostOfPeers);
  return table.missed === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
