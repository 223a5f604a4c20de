import { expect } from 'bun:test';
import { startOutside } from '../../lib/outside.ts';
import type { Session } from '../../lib/session.ts';
import type { Step } from './step.ts';
import { busybox } from './step.ts';

const serve = ['sh', '-c', 'echo hello >/tmp/index.html; exec httpd -f -p 80 -h /tmp'];
/** Answers each datagram at port 53 with its sender's address. */
const echo =
  'import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("", 53)); print("bound", flush=True)\nwhile True:\n  _, sender = s.recvfrom(99); s.sendto(sender[0].encode(), sender)';
/** Sends a datagram and tells the answer. */
const ask =
  'import socket, sys\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5); s.connect((sys.argv[1], 5353)); s.send(b"x"); print(s.recv(99).decode())';
/** Tells what an address answers, asked so many times at most, until it does. */
const get = `import sys, time, urllib.request
for _ in range(int(sys.argv[2])):
  try:
    print(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode().strip())
    break
  except OSError: time.sleep(0.1)
else: print("no answer")`;
const tries = '100';

/** What comes back from an address, asked from the world's own network, once there is somebody. */
async function fetched(session: Session, url: string): Promise<string> {
  return (await session.engine.world.output(['python3', '-c', get, url, tries])).trim();
}

async function isSilent(session: Session, url: string): Promise<boolean> {
  return (await session.engine.world.output(['python3', '-c', get, url, '1'])).trim() === 'no answer';
}

/** The ports of the machine that a container's port leads to; docker repeats each for IPv6. */
async function hostPorts(session: Session, container: string, port: string): Promise<string[]> {
  const shown = await session.quiet('port', container, port);
  return shown.split('\n').filter((line) => !line.startsWith('['));
}

export const portSteps: readonly Step[] = [
  {
    name: '-p: from the loopback, the own address, outside, another container, and itself',
    async play(session) {
      await using outside = await startOutside(session.engine.world);
      const server = session.container('published');
      await session.ok('run', '-d', '--name', server, '-p', '8080:80', busybox, ...serve);
      const gateway = await session.quiet('inspect', '--format', '{{.NetworkSettings.Networks.bridge.Gateway}}', server);
      const wget = (address: string) => ['wget', '-q', '-T', '5', '-O', '-', `http://${address}:8080/`];
      session.note('seen', {
        loopback: await fetched(session, 'http://127.0.0.1:8080/'),
        ownAddress: await fetched(session, `http://${outside.gateway}:8080/`),
        bridge: await fetched(session, `http://${gateway}:8080/`),
        otherContainer: await session.quiet('run', '--rm', busybox, ...wget(outside.gateway)),
        itself: await session.quiet('exec', server, ...wget(gateway)),
        hostNetwork: await session.quiet('run', '--rm', '--network', 'host', busybox, ...wget('127.0.0.1')),
        outside: await outside.python(get, `http://${outside.gateway}:8080/`, tries),
      });
      await session.ok(
        'inspect',
        '--format',
        '{{json .HostConfig.PortBindings}} {{json .Config.ExposedPorts}} {{index .NetworkSettings.Ports "80/tcp" 0}}',
        server,
      );
      session.note('listed', (await session.quiet('ps', '--filter', `name=${server}`, '--format', '{{.Ports}}')).replace(/, \[::\]\S+/g, ''));
      await session.docker(['port', server, '80/udp']);
      await session.docker(['port', server, '81']);
      await session.ok('stop', '-t', '0', server);
      expect(await isSilent(session, 'http://127.0.0.1:8080/')).toBe(true);
      await session.ok('inspect', '--format', '{{json .NetworkSettings.Ports}}', server);
      await session.docker(['port', server]);
      await session.ok('start', server);
      expect(await fetched(session, 'http://127.0.0.1:8080/')).toBe('hello');
    },
  },
  {
    name: '-p with an address, a range, no port of the machine, and udp; -P with --expose',
    async play(session) {
      const server = session.container('ranged');
      const other = session.container('ranged-too');
      const ports = ['-p', '127.0.0.1:8000-8001:80-81', '-p', '127.0.0.1:8100-8110:80', '-p', '127.0.0.1::80', '-p', '127.0.0.1:5300:53/udp'];
      await session.ok('run', '-d', '--name', server, ...ports, busybox, ...serve);
      await session.ok('run', '-d', '--name', other, '--expose', '80', '--expose', '90-91/udp', '-P', '-p', '127.0.0.1:8100-8110:80', busybox, ...serve);
      await session.ok('inspect', '--format', '{{json .HostConfig.PortBindings}} {{json .Config.ExposedPorts}}', server);
      await session.ok('inspect', '--format', '{{json .HostConfig.PortBindings}} {{json .Config.ExposedPorts}} {{.HostConfig.PublishAllPorts}}', other);
      const ephemeral = (lines: readonly string[]) => lines.map((line) => line.replace(/:(3[2-9]|[45]\d|6[0-5])\d{3}$/, ':<ephemeral>'));
      for (const [container, port] of [
        [server, '80'],
        [server, '81/tcp'],
        [server, '53/udp'],
        [other, '80'],
        [other, '90/udp'],
        [other, '91/udp'],
      ] as const)
        session.note(`${container} ${port}`, ephemeral(await hostPorts(session, container, port)).toSorted());
      for (const line of await hostPorts(session, server, '80')) expect(await fetched(session, `http://${line}/`)).toBe('hello');
    },
  },
  {
    name: '-p udp: datagrams there and back',
    async play(session) {
      await using outside = await startOutside(session.engine.world);
      const server = session.container('datagrams');
      await session.ok('run', '-d', '--name', server, '-p', '5353:53/udp', busybox, 'sleep', '1000');
      const { world } = session.engine;
      const answering = world.spawn(['nsenter', '--target', String(await session.pid(server)), '--net', 'python3', '-c', echo]);
      session.onEnd(() => answering.stop());
      await answering.output(/bound/);
      expect(await world.output(['python3', '-c', ask, '127.0.0.1'])).toMatch(/^172\.17\.0\.1\n/);
      expect(await outside.python(ask, outside.gateway)).toBe(outside.address);
    },
  },
  {
    name: 'ports that are taken: by a container, by a process of the machine, twice by one',
    async play(session) {
      const first = session.container('holder');
      const second = session.container('hopeful');
      const third = session.container('unlucky');
      await session.ok('run', '-d', '--name', first, '-p', '8080:80', busybox, ...serve);
      // Which of its two families docker names is by chance.
      const clean = (text: string) => text.replace(/\([0-9a-f]{64}\)/g, '(<endpoint>)').replace('Bind for :::', 'Bind for 0.0.0.0:');
      const refused = async (...argv: readonly string[]) => {
        const { code, stderr } = await session.engine.docker(argv);
        session.note(argv.join(' '), [code, clean(stderr)]);
      };
      await refused('run', '-d', '--name', second, '-p', '8080:80', busybox, ...serve);
      await session.ok('inspect', '--format', '{{.State.Status}} {{.State.ExitCode}} {{json .NetworkSettings.Ports}}', second);
      session.note('error', clean(await session.quiet('inspect', '--format', '{{.State.Error}}', second)));
      await refused('start', second);
      await session.ok('stop', '-t', '0', first);
      await session.ok('start', second);
      expect(await fetched(session, 'http://127.0.0.1:8080/')).toBe('hello');
      await refused('start', first);
      const bound =
        'import socket\ns = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(("0.0.0.0", 8090)); s.listen(); print("bound", flush=True); import time; time.sleep(1000)';
      const process = session.engine.world.spawn(['python3', '-c', bound]);
      session.onEnd(() => process.stop());
      await process.output(/bound/);
      await refused('run', '--rm', '--name', third, '-p', '127.0.0.1:8090:80', busybox, 'true');
      await refused('run', '--rm', '--name', third, '-p', '8091:80', '-p', '8091:81', busybox, 'true');
      await refused('run', '--rm', '--name', third, '-p', '192.0.2.77:8092:80', busybox, 'true');
    },
  },
  {
    name: '-p where there are no ports to publish, and what is no port',
    async play(session) {
      await session.docker(['run', '--rm', '--network', 'none', '-p', '8080:80', busybox, 'true']);
      await session.docker(['run', '--rm', '--network', 'host', '-p', '8080:80', busybox, 'true']);
      const owner = session.container('netowner');
      await session.ok('run', '-d', '--name', owner, busybox, 'sleep', '1000');
      await session.docker(['create', '--network', `container:${owner}`, '-p', '8080:80', busybox, 'true']);
      await session.docker(['create', '--network', `container:${owner}`, '--expose', '80', busybox, 'true']);
    },
  },
];
