/**
 * `npm run test:crictl -- --crictl FILE [--against NAME] [--only REGEXP]`: each command of crictl on the real containerd and on another CRI (default ours), in worlds of their own: what is
 * seen must be equal. Prints where it is not, and exits with 1 when differences.ts has no reason for that.
 */
import { parseArgs } from 'node:util';
import { ensurePeers } from '../../../tools/peers/peer-root.ts';
import { buildIfStale } from '../../lib/dist.ts';
import { chainNamed } from '../chains.ts';
import { CriWorld } from '../cri-world.ts';
import { busyboxImage } from '../images.ts';
import { CrictlClient, type Seen } from './crictl-client.ts';
import { differences } from './differences.ts';
import { type CrictlStep, crictlSteps } from './steps.ts';

/** What each step saw; a step that broke saw that last. */
async function play(name: string, crictl: string, steps: readonly CrictlStep[]): Promise<ReadonlyMap<string, readonly Seen[]>> {
  const chain = chainNamed(name);
  await using world = await CriWorld.start();
  const endpoint = await chain.start(world);
  const program = world.install(crictl);
  const seen = new Map<string, readonly Seen[]>();
  for (const step of steps) {
    const client = new CrictlClient(world, program, endpoint);
    try {
      await client.output('pull', busyboxImage);
      await client.output('pull', 'registry.k8s.io/e2e-test-images/httpd:2.4.39-4');
      await step.play(client);
    } catch (error) {
      client.note('broke', whatHappened(error));
    } finally {
      await client.end();
    }
    seen.set(step.name, client.seen);
  }
  return seen;
}

/** Without the words of the command, which name processes. */
function whatHappened(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message
    .replace(/^\S+\/world-enter .* -- /, '')
    .split('\n')
    .slice(0, 4)
    .join('; ');
}

/** containerd 2.1 speaks the channel protocols up to v4 over WebSocket, and crictl v5: what the other CRI shows there must be what containerd shows over SPDY. */
const overWebSocket = / over websocket$/;

function expectedOf(theirs: ReadonlyMap<string, readonly Seen[]>, step: string): readonly Seen[] {
  const seen = theirs.get(step.replace(overWebSocket, ' over spdy')) ?? [];
  return overWebSocket.test(step) ? (JSON.parse(JSON.stringify(seen).replaceAll('spdy', 'websocket')) as Seen[]) : seen;
}

function compare(theirs: ReadonlyMap<string, readonly Seen[]>, ours: ReadonlyMap<string, readonly Seen[]>): number {
  let unexpected = 0;
  for (const [step, actual] of ours) {
    const expected = expectedOf(theirs, step);
    let equal = 0;
    for (let index = 0; index < Math.max(expected.length, actual.length); index += 1) {
      const [label, fact] = expected[index] ?? ['nothing', undefined];
      const [ourLabel, ourFact] = actual[index] ?? ['nothing', undefined];
      if (label === ourLabel && JSON.stringify(fact) === JSON.stringify(ourFact)) {
        equal += 1;
        continue;
      }
      const reason = differences[`${step}: ${label}`];
      if (reason === undefined) unexpected += 1;
      console.log(`\n${step}: ${label}${reason === undefined ? '' : `\n  differs: ${reason}`}`);
      if (reason === undefined)
        console.log(`  containerd: ${JSON.stringify(fact)}\n  ${ourLabel === label ? '' : `${ourLabel}: `}it: ${JSON.stringify(ourFact)}`);
    }
    console.log(`${step}: ${equal} of ${expected.length} equal`);
  }
  return unexpected;
}

async function main(argv: readonly string[]): Promise<number> {
  const options = { crictl: { type: 'string' }, against: { type: 'string', default: 'ours' }, only: { type: 'string', default: '' } } as const;
  const { values } = parseArgs({ args: [...argv], options });
  if (values.crictl === undefined) throw new Error('--crictl FILE: the program of cri-tools');
  if (!buildIfStale()) return 1;
  await ensurePeers();
  const only = new RegExp(values.only);
  const steps = crictlSteps.filter(({ name }) => only.test(name));
  const theirs = await play(
    'containerd',
    values.crictl,
    crictlSteps.filter(({ name }) => !overWebSocket.test(name) && steps.some((step) => step.name.replace(overWebSocket, ' over spdy') === name)),
  );
  const unexpected = compare(theirs, await play(values.against, values.crictl, steps));
  console.log(unexpected === 0 ? `crictl on ${values.against}: as on containerd` : `crictl on ${values.against}: ${unexpected} differences`);
  return unexpected === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
