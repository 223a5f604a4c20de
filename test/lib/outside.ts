import { Running } from './process.ts';
import type { World } from './world.ts';

/** A neighbouring network that knows no route back into the world: what answers from there proves that NAT took place. */
export interface Outside extends AsyncDisposable {
  /** The web server out there, port 8000, which answers `outside`. */
  readonly address: string;
  /** The world's own address on the way there, as which its containers must appear. */
  readonly gateway: string;
  /** What a script prints that runs out there. */
  python(script: string, ...args: readonly string[]): Promise<string>;
  /** The address of the client that asked last. */
  lastClient(): Promise<string>;
}

/** RFC 5737's TEST-NET-1. */
const address = '192.0.2.2';
const gateway = '192.0.2.1';

/** Reads a request and answers it with the fixed word; the client's address goes to stdout. */
const server = `
import http.server
class Outside(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print('client', self.client_address[0], flush=True)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'outside\\n')
    def log_message(self, *ignored): pass
service = http.server.HTTPServer(('${address}', 8000), Outside)
print('ready', flush=True)
service.serve_forever()
`;

export async function startOutside(world: World): Promise<Outside> {
  const script = 'ip link set lo up && echo made && read go && ip addr add "$1/24" dev out1 && ip link set out1 up && exec python3 -c "$2"';
  const running = new Running(world.command(['unshare', '--net', 'sh', '-c', script, 'sh', address, server]), { keepStdin: true });
  await running.output(/made\n/);
  const inner = world.pids().find((pid) => world.commandLine(pid).includes('ip addr add "$1/24" dev out1') && !world.commandLine(pid).startsWith('unshare'));
  await world.output(['sh', '-c', `ip link add out0 type veth peer name out1 netns ${inner} && ip addr add ${gateway}/24 dev out0 && ip link set out0 up`]);
  running.write('go\n');
  await running.output(/ready\n/);
  return {
    address,
    gateway,
    async python(script, ...args) {
      return (await world.output(['nsenter', '--target', String(inner), '--net', 'python3', '-c', script, ...args])).trim();
    },
    async lastClient() {
      const found = await running.output(/client (\S+)\n(?!.*client)/s);
      return found[1] ?? '';
    },
    async [Symbol.asyncDispose]() {
      await running.stop();
      await world.run(['ip', 'link', 'del', 'out0']);
    },
  };
}
