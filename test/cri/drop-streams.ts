// Run in a test world by streams.ts: `drop-streams.ts SOCKET CONNECTIONS DIRECTORY` attaches to a container with a terminal, again and again, and leaves in the middle, in
// each way and at each point. Prints what the processes of ours hold after so many, and after as many again, as JSON.
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { criImages, criRuntime } from '../../src/api/cri/index.ts';
import { connectGrpc } from '../../src/rpc/grpc/index.ts';
import { ChannelClient, dialSpdy, upgradeWebSocket } from '../../src/streaming/fixtures-client.ts';
import { busyboxImage } from './images.ts';

const [socket = '', connections = '', directory = ''] = process.argv.slice(2);
const atOnce = 8;
/** Memory goes up and down by a tenth from one collection to the next; what leaks lifts the least of so many looks. */
const looks = 10;
const image = { image: busyboxImage };
const size = '{"Width":80,"Height":24}\n';

interface Held {
  readonly descriptors: number;
  readonly rssKib: number;
}

/** Daemons of ours that were told a path below `directory`. */
function daemons(): readonly number[] {
  const isOurs = (pid: string) => {
    try {
      const [program = '', ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      return program.endsWith('/strake') && args[0] !== 'registry' && args.some((arg) => arg.includes(directory));
    } catch {
      return false;
    }
  };
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && isOurs(name))
    .map(Number);
}

function held(pid: number): Held {
  return {
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    rssKib: Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]),
  };
}

/** Breaks off so often, and tells the least that was held between; what is over is let go of a moment later. */
async function leastHeld(pids: readonly number[], containerId: string, count: number): Promise<readonly Held[]> {
  const seen: Held[][] = [];
  for (let look = 0; look < looks; look++) {
    await leave(containerId, Math.ceil(count / looks));
    await sleep(2_000);
    seen.push(pids.map(held));
  }
  const least = (at: number, name: keyof Held) => Math.min(...seen.map((all) => all[at]?.[name] ?? 0));
  return pids.map((_, at) => ({ descriptors: least(at, 'descriptors'), rssKib: least(at, 'rssKib') }));
}

/** The daemon runs in a root of its own. */
const connection = connectGrpc({ kind: 'unix', path: `/proc/${daemons()[0]}/root${socket}` });
const runtime = connection.client(criRuntime.RuntimeService);

async function leaveInTheMiddle(containerId: string, turn: number): Promise<void> {
  const { url } = await runtime.attach({ containerId, stdin: true, stdout: true, stderr: false, tty: true });
  // Before the end of its request a client has not used its address: a thousand of those may wait.
  const point = turn % 64 === 0 ? 0 : 1 + (Math.floor(turn / 2) % 3);
  if (point === 0) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { hostname, port, pathname } = new URL(url);
    const raw = connect(Number(port), hostname, () => raw.write(`POST ${pathname} HTTP/1.1\r\nHost: x\r\n`, () => resolve()));
    await promise;
    raw.destroy();
  } else if (turn % 2 === 0) {
    const client = await dialSpdy(url, 'v4.channel.k8s.io');
    for (const streamtype of point === 1 ? [] : ['error', 'stdin', 'stdout', 'resize']) {
      const stream = await client.open({ streamtype });
      if (point === 3 && streamtype === 'stdin') await stream.write(Buffer.from('x'));
      if (point >= 2 && streamtype === 'resize') await stream.write(Buffer.from(size));
    }
    client.socket.destroy();
  } else {
    const answer = await upgradeWebSocket(url, 'v5.channel.k8s.io');
    const client = new ChannelClient(answer);
    if (point === 3) await client.send(0, 'x');
    if (point >= 2) await client.send(4, size);
    answer.socket.destroy();
  }
}

async function leave(containerId: string, count: number): Promise<void> {
  let turn = 0;
  const work = async () => {
    while (turn < count) await leaveInTheMiddle(containerId, turn++);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

await connection.client(criImages.ImageService).pullImage({ image });
const config = { metadata: { name: 'streams', namespace: 'test', uid: 'u1', attempt: 0 }, logDirectory: directory, linux: {} };
const { podSandboxId } = await runtime.runPodSandbox({ config });
const container = { metadata: { name: 'terminal', attempt: 0 }, image, command: ['sh'], stdin: true, tty: true, linux: {} };
const { containerId } = await runtime.createContainer({ podSandboxId, config: container, sandboxConfig: config });
await runtime.startContainer({ containerId });
const pids = daemons();
const before = await leastHeld(pids, containerId, Number(connections));
const after = await leastHeld(pids, containerId, Number(connections));
const { stdout } = await runtime.execSync({ containerId, cmd: ['echo', 'alive'], timeout: 10n });
await runtime.removePodSandbox({ podSandboxId });
connection.close();
console.log(JSON.stringify({ before, after, alive: Buffer.from(stdout).toString() === 'alive\n' }));
process.exit(0);
