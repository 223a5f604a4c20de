/**
 * `npm run test:streams -- [--against NAME] [--connections N]`: attaches to a terminal N times (10,000) over SPDY and WebSocket, sends sizes and input, and breaks off in the
 * middle; then N times more. Exits with 1 unless the daemons have as many descriptors as after the first N, but for a few connections among themselves, and at most a
 * twentieth more memory.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ensurePeers } from '../../tools/peers/peer-root.ts';
import { chainNamed } from './chains.ts';
import { CriWorld } from './cri-world.ts';

const timeoutMs = 20 * 60_000;
const mostGrowth = 1.05;
/** Connections between daemons are kept for the next call: as many as there were calls at once. */
const mostKept = 8;

const { values } = parseArgs({ options: { against: { type: 'string', default: 'ours' }, connections: { type: 'string', default: '10000' } } });
const chain = chainNamed(values.against);
await ensurePeers();
await using world = await CriWorld.start();
const endpoint = await chain.start(world);
const program = [process.execPath, path.join(import.meta.dirname, 'drop-streams.ts'), endpoint.replace(/^unix:\/\//, ''), values.connections, world.work];
const { before, after, alive } = JSON.parse((await world.peers.world.output(program, { timeoutMs })).trim().split('\n').at(-1) ?? '{}');
let isWell = alive === true && before.length > 0;
for (const [index, { descriptors, rssKib }] of before.entries()) {
  const now = after[index];
  isWell &&= now.descriptors <= descriptors + mostKept && now.rssKib <= rssKib * mostGrowth;
  console.log(
    `daemon ${index + 1}: ${descriptors} descriptors, then ${now.descriptors}; ${rssKib} KiB, then ${now.rssKib} (${((now.rssKib / rssKib - 1) * 100).toFixed(1)} %)`,
  );
}
console.log(`${values.connections} connections on ${values.against}: ${isWell ? 'nothing is left of them' : 'something is left of them'}`);
process.exitCode = isWell ? 0 : 1;
