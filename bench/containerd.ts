import { join } from 'node:path';
import { run } from '../test/lib/process.ts';
import { busybox, type Machines } from './machines.ts';
import { type CaseResult, type Commands, measure, type Rounds } from './measure.ts';
import { measureTaskStarts } from './task-starts.ts';
import { median } from './timer.ts';

/** How many containers start at once; one at a time is the row before. */
const atOnce = [10, 50] as const;

const fanOut = { events: 2000, subscribers: 50 } as const;

/** Runs `$1` times at once what follows, each with a name of its own; fails where one did. */
const burst = `count=$1; shift; pids=
while [ $count -gt 0 ]; do "$@" bench-$count true & pids="$pids $!"; count=$((count - 1)); done
for pid in $pids; do wait $pid || exit 1; done`;

/** The real ctr on our containerd, beside the same ctr on the real one. Both stand in the peers' root: client and server share the directories of the FIFOs. */
export async function measureContainerd(machines: Machines, timed: string, rounds: Rounds): Promise<CaseResult[]> {
  const { peers, world } = machines;
  const socket = join(world.work, 'strake-chain', 'containerd.sock');
  const strake = ['ctr', '--address', socket];
  const clients: Commands = { ...(machines.engine ? { strake } : {}), containerd: machines.ctr };
  if (machines.engine) {
    await peers.startStrakeContainerd(socket);
    await peers.output([...strake, 'images', 'pull', '--plain-http', busybox]);
  }
  // Both name a container's cgroup by its id, and share the tree of cgroups: what stays is called after whose it is.
  const sleeper = (label: string) => `bench-${label}`;
  const row = async (name: string, count: number, command: (ctr: readonly string[], label: string) => readonly string[]): Promise<CaseResult> => {
    const commands = Object.fromEntries(Object.entries(clients).map(([label, ctr]) => [label, command(ctr, label)]));
    return await measure(machines, timed, { name, rounds: count, commands, place: () => peers });
  };

  const results = [await row('ctr run --rm busybox true', rounds.run, (ctr) => [...ctr, 'run', '--rm', busybox, 'bench', 'true'])];
  for (const [label, ctr] of Object.entries(clients)) await peers.output([...ctr, 'run', '--detach', '--null-io', busybox, sleeper(label), 'sleep', '100000']);
  try {
    const exec = (ctr: readonly string[], label: string) => [...ctr, 'task', 'exec', '--exec-id', 'bench', sleeper(label), 'true'];
    results.push(await row('ctr task exec true in a running container', rounds.run, exec));
  } finally {
    for (const [label, ctr] of Object.entries(clients)) {
      await peers.run([...ctr, 'task', 'rm', '--force', sleeper(label)]);
      await peers.run([...ctr, 'container', 'rm', sleeper(label)]);
    }
  }
  for (const count of atOnce)
    results.push(
      await row(`ctr run --rm busybox true, ${count} at once`, rounds.pull, (ctr) => ['sh', '-c', burst, 'sh', String(count), ...ctr, 'run', '--rm', busybox]),
    );
  const sockets = { ...(machines.engine ? { strake: socket } : {}), containerd: peers.path(peers.containerdSocket) };
  results.push(...(await measureTaskStarts(sockets, rounds.pull)));
  results.push(await measureFanOut(sockets, rounds.pull));
  return results;
}

/** `sockets` as the machine sees them: the client runs there, as the peers' root has no Bun. */
async function measureFanOut(sockets: Readonly<Record<string, string>>, rounds: number): Promise<CaseResult> {
  const client = join(import.meta.dirname, 'event-load.ts');
  const samples = Object.fromEntries(Object.keys(sockets).map((label): [string, number[]] => [label, []]));
  for (let round = 0; round < rounds; round += 1)
    for (const [label, socket] of Object.entries(sockets)) {
      const argv = [process.execPath, client, socket, String(fanOut.subscribers - 1), String(fanOut.events)];
      const { code, stdout, stderr } = await run(argv, { timeoutMs: 120_000 });
      if (code !== 0) throw new Error(`${label}: exit ${code}: ${stderr.slice(-1000)}`);
      samples[label]?.push(Number(stdout));
    }
  const medians = Object.fromEntries(Object.entries(samples).map(([label, values]) => [label, median(values)]));
  const name = `${fanOut.events} events to ${fanOut.subscribers} subscribers, one of them stalled`;
  console.error(`${name}: ${JSON.stringify(medians)}`);
  return { name, unit: 'ms', rounds, medians };
}
