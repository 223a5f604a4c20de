import { join } from 'node:path';
import { chainNamed } from '../test/cri/chains.ts';
import { CriWorld } from '../test/cri/cri-world.ts';
import { busyboxImage } from '../test/cri/images.ts';
import { World } from '../test/lib/world.ts';
import { disk, emptyDisk } from './disk.ts';
import type { CaseResult } from './measure.ts';
import { measurePluginsAlone } from './plugins-alone.ts';
import { PodCycle, type PodNetworkMode, type PodTimes, podSteps } from './pod-cycle.ts';
import { median } from './timer.ts';

/** Rows of a pod's calls, by how their names begin. */
export interface PodRows {
  readonly prefix: string;
  readonly network: PodNetworkMode;
}

/** How many pods live at once; one at a time is the row before. */
const atOnce = 10;

/** `strake cri` beside containerd's CRI. The plugins of CNI take most of a pod's time, so ours is measured with them and with the network that it has without. */
export async function measureCriBesideContainerd(withStrake: boolean, rounds: number): Promise<CaseResult[]> {
  const beside = (chain: string) => ({ ...(withStrake ? { strake: chain } : {}), containerd: 'containerd' });
  return [
    ...(await measureCri(
      beside('ours-cni'),
      rounds,
      [
        { prefix: "CRI, a pod on the node's network: ", network: 'node' },
        { prefix: "CRI, a pod in a network of CNI's plugins: ", network: 'pod' },
      ],
      async (world) => told(await measurePluginsAlone(world, rounds)),
    )),
    ...(withStrake ? await measureCri(beside('ours'), rounds, [{ prefix: "CRI, a pod in our default network, beside CNI's plugins: ", network: 'pod' }]) : []),
  ];
}

/** A pod's calls on each of these CRIs, in a world where all of them stand, and what else is to be measured there. A chain is a label and its name in test/cri/chains.ts. */
export async function measureCri(
  named: Readonly<Record<string, string>>,
  rounds: number,
  rows: readonly PodRows[],
  alsoThere: (world: CriWorld) => Promise<CaseResult[]> = async () => [],
): Promise<CaseResult[]> {
  emptyDisk();
  await using home = await World.start(disk === undefined ? {} : { disk });
  await using world = await CriWorld.start(home);
  const cycles: [label: string, cycle: PodCycle][] = [];
  try {
    for (const [label, name] of Object.entries(named)) {
      const socket = (await chainNamed(name).start(world)).replace(/^unix:\/\//, '');
      const cycle = new PodCycle({ label, socket: world.peers.path(socket), image: busyboxImage, logDirectory: join(world.work, 'logs', label) });
      cycles.push([label, cycle]);
      await cycle.pull();
    }
    const results: CaseResult[] = [];
    for (const one of rows) results.push(...(await measurePods(cycles, one, rounds)), await measureMany(cycles, one, Math.ceil(rounds / 3)));
    results.push(...(await alsoThere(world)));
    return results;
  } finally {
    for (const [, cycle] of cycles) cycle.close();
  }
}

type Cycles = readonly (readonly [label: string, cycle: PodCycle])[];

/** The first of one round is the last of the next: what a pod leaves to be cleared up behind its answer falls on who comes then, and so on all alike. */
function inTurn(cycles: Cycles, round: number): Cycles {
  return round % 2 === 0 ? cycles : cycles.toReversed();
}

async function measurePods(cycles: Cycles, { prefix, network }: PodRows, rounds: number): Promise<CaseResult[]> {
  const times = new Map<string, PodTimes[]>(cycles.map(([label]) => [label, []]));
  const warmUps = rounds > 5 ? 2 : 1;
  for (let round = 0; round < rounds + warmUps; round += 1)
    for (const [label, cycle] of inTurn(cycles, round)) {
      const lived = await cycle.live(`pod-${round}`, network);
      if (round >= warmUps) times.get(label)?.push(lived);
    }
  const row = (what: string, of: (lived: PodTimes) => number): CaseResult => ({
    name: `${prefix}${what}`,
    unit: 'ms',
    rounds,
    medians: Object.fromEntries([...times].map(([label, lived]) => [label, median(lived.map(of))])),
  });
  return told([...podSteps.map((step) => row(step, (lived) => lived[step])), row('the whole pod', total)]);
}

/** The whole of a pod's life where others live beside it. */
async function measureMany(cycles: Cycles, { prefix, network }: PodRows, rounds: number): Promise<CaseResult> {
  const samples = new Map<string, number[]>(cycles.map(([label]) => [label, []]));
  for (let round = 0; round < rounds; round += 1)
    for (const [label, cycle] of inTurn(cycles, round)) {
      const begun = performance.now();
      await Promise.all(Array.from({ length: atOnce }, async (_, index) => await cycle.live(`many-${index}`, network)));
      samples.get(label)?.push(performance.now() - begun);
    }
  const medians = Object.fromEntries([...samples].map(([label, values]) => [label, median(values)]));
  const [result] = told([{ name: `${prefix}${atOnce} whole pods at once`, unit: 'ms', rounds, medians }]);
  return result as CaseResult;
}

function total(lived: PodTimes): number {
  return podSteps.reduce((sum, step) => sum + lived[step], 0);
}

function told(results: readonly CaseResult[]): CaseResult[] {
  for (const { name, medians } of results)
    console.error(
      `${name}: ${Object.entries(medians)
        .map(([label, ms]) => `${label} ${ms.toFixed(1)} ms`)
        .join(', ')}`,
    );
  return [...results];
}
