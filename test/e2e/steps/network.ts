import { expect } from 'bun:test';
import { readFileSync, readlinkSync } from 'node:fs';
import { startOutside } from '../../lib/outside.ts';
import type { Step } from './step.ts';
import { busybox } from './step.ts';

/** Names of the interfaces of a container, from the kernel's table of its network namespace. */
function interfaces(procNetDev: string): string[] {
  return readFileSync(procNetDev, 'utf8')
    .split('\n')
    .slice(2)
    .map((line) => line.split(':')[0]?.trim() ?? '')
    .filter((name) => name !== '')
    .sort();
}

export const networkSteps: readonly Step[] = [
  {
    name: '--network none: loopback alone',
    async play(session) {
      const name = session.container('alone');
      await session.ok('run', '-d', '--network', 'none', '--name', name, busybox, 'sleep', '1000');
      expect(interfaces(session.engine.world.procPath(await session.pid(name), 'net/dev'))).toEqual(['lo']);
      await session.ok('exec', name, 'sh', '-c', "ip -o addr | awk '{print $2,$3,$4}'; ip route; cat /etc/hosts; ping -c1 -W1 127.0.0.1 >/dev/null && echo up");
    },
  },
  {
    name: '--network host: the network namespace of the daemon',
    async play(session) {
      const name = session.container('hosted');
      await session.ok('run', '-d', '--network', 'host', '--name', name, busybox, 'sleep', '1000');
      const { world } = session.engine;
      expect(readlinkSync(world.procPath(await session.pid(name), 'ns/net'))).toBe(readlinkSync(`/proc/${world.pid}/ns/net`));
      await session.ok('run', '--rm', '--network', 'host', busybox, 'wget', '-q', '-O', '-', 'http://127.0.0.1:5000/v2/busybox/tags/list');
      expect(await session.quiet('exec', name, 'hostname')).toBe((await world.output(['hostname'])).trim());
    },
  },
  {
    name: 'bridge: address, default route, hosts, resolv.conf, and neighbours that reach each other',
    async play(session) {
      const server = session.container('server');
      await session.ok('run', '-d', '--name', server, '--hostname', 'served', busybox, 'sh', '-c', 'echo hello >/tmp/index.html; exec httpd -f -p 80 -h /tmp');
      expect(interfaces(session.engine.world.procPath(await session.pid(server), 'net/dev'))).toEqual(['eth0', 'lo']);
      const address = await session.quiet('inspect', '--format', '{{.NetworkSettings.Networks.bridge.IPAddress}}', server);
      expect(address).toMatch(/^172\.17\.0\.\d+$/);
      const ip = (text: string): string => text.replaceAll(address, '<address>');
      session.note('hosts', ip(await session.quiet('exec', server, 'cat', '/etc/hosts')));
      session.note(
        'addresses',
        ip(await session.quiet('exec', server, 'sh', '-c', "ip -o -4 addr | awk '{print $2,$3,$4,$5,$6}'; ip route; cat /sys/class/net/eth0/mtu")),
      );
      expect(await session.quiet('run', '--rm', busybox, 'wget', '-q', '-O', '-', `http://${address}/`)).toBe('hello');
      await session.ok('run', '--rm', busybox, 'sh', '-c', "ping -c1 -W2 $(ip route | awk '/default/ {print $3}') >/dev/null && echo gateway");
      await session.ok(
        'inspect',
        '--format',
        '{{json .NetworkSettings.Ports}} {{.NetworkSettings.Networks.bridge.Gateway}} {{.NetworkSettings.Networks.bridge.IPPrefixLen}} {{.HostConfig.NetworkMode}}',
        server,
      );
    },
  },
  {
    name: 'bridge: NAT out to a network that has no way back',
    async play(session) {
      await using outside = await startOutside(session.engine.world);
      expect(await session.ok('run', '--rm', busybox, 'wget', '-q', '-T', '5', '-O', '-', `http://${outside.address}:8000/`)).toBe('outside');
      expect(await outside.lastClient()).toBe(outside.gateway);
    },
  },
  {
    name: 'networks: list, inspect, and names that do not exist',
    async play(session) {
      await session.ok('network', 'ls', '--format', '{{.Name}} {{.Driver}} {{.Scope}}');
      await session.ok(
        'network',
        'inspect',
        '--format',
        '{{.Name}} {{.Driver}} {{.Scope}} {{.Internal}} {{range .IPAM.Config}}{{.Subnet}} {{.Gateway}}{{end}}',
        'bridge',
      );
      await session.docker(['network', 'inspect', 'absent']);
      await session.docker(['run', '--rm', '--network', 'absent', busybox, 'true']);
    },
  },
  {
    name: '--network container: shares another container’s namespace',
    async play(session) {
      const owner = session.container('owner');
      await session.ok('run', '-d', '--name', owner, busybox, 'sleep', '1000');
      const guest = session.container('guest');
      await session.ok('run', '-d', '--network', `container:${owner}`, '--name', guest, busybox, 'sleep', '1000');
      const { world } = session.engine;
      expect(readlinkSync(world.procPath(await session.pid(guest), 'ns/net'))).toBe(readlinkSync(world.procPath(await session.pid(owner), 'ns/net')));
    },
  },
  {
    name: '--ipc container: shares another container’s namespace and its /dev/shm',
    async play(session) {
      const owner = session.container('owner');
      await session.ok('run', '-d', '--name', owner, '--ipc', 'shareable', busybox, 'sleep', '1000');
      await session.ok('exec', owner, 'sh', '-c', 'echo kept >/dev/shm/note');
      const shared = ['--ipc', `container:${owner}`, '--pid', `container:${owner}`];
      await session.docker(['run', '--rm', ...shared, busybox, 'sh', '-c', 'cat /dev/shm/note; echo said >/dev/shm/note']);
      await session.docker(['exec', owner, 'cat', '/dev/shm/note']);
    },
  },
];
