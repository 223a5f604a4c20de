import { afterAll, beforeAll, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'strake-pods-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('pods with the real kernel, in a network namespace of its own', () => {
  // A new namespace forwards when the machine does.
  const script = 'echo 0 >/proc/sys/net/ipv4/ip_forward && mount -t sysfs sysfs /sys && ip link set lo up && exec "$0" "$1" "$2"';
  const result = spawnSync(
    'unshare',
    ['--net', '--mount', 'sh', '-c', script, process.execPath, path.join(import.meta.dirname, 'fixtures-pods.ts'), directory],
    {
      encoding: 'utf8',
    },
  );
  expect(result.stderr).toBe('');
  const seen = JSON.parse(result.stdout);
  expect(seen.untouched).toBe('');
  expect(seen.addresses).toEqual(['10.88.0.2']);
  expect(seen.details).toEqual({
    cniVersion: '1.1.0',
    interfaces: [{ name: 'pods0' }, { name: 'eth0', mac: '02:42:0a:58:00:02', sandbox: '/proc/PID/ns/net' }],
    ips: [{ interface: 1, address: '10.88.0.2/16', gateway: '10.88.0.1' }],
    routes: [{ dst: '0.0.0.0/0' }],
    dns: {},
  });
  expect(seen.inside).toContain('inet 10.88.0.2/16 brd 10.88.255.255');
  expect(seen.inside).toContain('default via 10.88.0.1 dev eth0');
  expect(seen.inside).toContain('lo: <LOOPBACK,UP,LOWER_UP>');
  expect(seen.inside).toEndWith('\n1'); // no IPv6
  expect(seen.again).toBe('pod first has a network already');
  expect(seen.taken).toBe("port 8080/tcp of the machine is pod first's");
  expect(seen.strange).toBe('invalid IPv4 address "::1"');
  expect(seen.nowhere).toBe('open /none: no such file or directory');
  // what the three before had taken was given back, though the namespace lives on
  expect(seen.second).toEqual(['10.88.0.3']);
  expect(seen.reached).toEqual({
    fromHost: 'first 10.88.0.1',
    fromPod: 'first 10.88.0.3',
    byLoopback: 'first 10.88.0.1',
    byAddress: 'first 192.0.2.1',
    fromOutside: 'first 192.0.2.2',
    fromOtherPod: 'first 10.88.0.1',
    fromItself: 'first 10.88.0.1',
    directly: 'first 192.0.2.2',
    outwards: 'outside 192.0.2.1',
    datagram: 'first',
    oneAddress: 'second 192.0.2.2',
    otherAddress: expect.stringContaining('Connection refused'),
  });
  expect(seen.ruleset).toBe(`table ip pods0-ports {
	chain forged {
		type filter hook prerouting priority raw; policy accept;
		iifname "pods0" ip daddr 127.0.0.0/8 drop
	}

	chain prerouting {
		type nat hook prerouting priority dstnat; policy accept;
		fib daddr type local tcp dport 8080 dnat to 10.88.0.2:80
		fib daddr type local udp dport 5353 dnat to 10.88.0.2:53
		ip daddr 192.0.2.1 tcp dport 8081 dnat to 10.88.0.3:80
	}

	chain output {
		type nat hook output priority -100; policy accept;
		fib daddr type local tcp dport 8080 dnat to 10.88.0.2:80
		fib daddr type local udp dport 5353 dnat to 10.88.0.2:53
		ip daddr 192.0.2.1 tcp dport 8081 dnat to 10.88.0.3:80
	}

	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		ip saddr 127.0.0.0/8 oifname "pods0" ct status dnat masquerade
		ip saddr 10.88.0.0/16 oifname "pods0" ct status dnat masquerade
	}
}`);
  expect(seen.check).toEqual(['done', 'pod third has no network']);
  expect(seen.restored).toBe('first 192.0.2.2');
  expect(seen.broken).toBe('link VETH of pod first is gone');
  expect(seen.closed).toContain('Connection refused');
  expect(seen.end).toEqual(['table ip strake-pods0', [], []]);
});
