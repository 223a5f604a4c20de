/**
 * `bun event-load.ts SOCKET SUBSCRIBERS EVENTS`: so many events through a containerd to so many subscribers, each with a connection of its own, and to one
 * more that never reads. Prints the milliseconds from the first publish until the last subscriber has the last event.
 */
import { create } from '@bufbuild/protobuf';
import { anyPack } from '@bufbuild/protobuf/wkt';
import { events, namespaceEvents } from '../src/api/containerd/index.ts';
import { connectGrpc, inNamespace } from '../src/rpc/grpc/index.ts';

const [path = '', subscribers = '1', count = '1'] = process.argv.slice(2);
const topic = '/bench/event';
/** Publishes under way at once. */
const window = 32;

const connect = () => connectGrpc({ kind: 'unix', path }).with(inNamespace('bench'));
const publisher = connect().client(events.Events);
const event = anyPack(namespaceEvents.NamespaceCreateSchema, create(namespaceEvents.NamespaceCreateSchema, { name: 'bench' }));
const publish = async (name: string) => await publisher.publish({ topic: name, event });

const subscribe = () => connect().client(events.Events).subscribe({ filters: [] })[Symbol.asyncIterator]();
const readers = Array.from({ length: Number(subscribers) }, subscribe);
const stalled = subscribe();
// Nothing tells when a subscription stands: the first event that it gives does.
const firsts = Promise.all([...readers, stalled].map(async (reader) => await reader.next()));
let standing = false;
void firsts.then(() => (standing = true));
while (!standing) await publish('/bench/ready');

const begun = performance.now();
const arrived = readers.map(async (reader) => {
  for (let seen = 0; seen < Number(count); ) if ((await reader.next()).value?.topic === topic) seen += 1;
});
let next = 0;
await Promise.all(
  Array.from({ length: window }, async () => {
    while (next++ < Number(count)) await publish(topic);
  }),
);
await Promise.all(arrived);
console.log(performance.now() - begun);
process.exit();
