import { expect, test } from 'bun:test';
import { type ListedPort, portList } from './port-list.ts';

const exposed = (PrivatePort: number, Type = 'tcp'): ListedPort => ({ PrivatePort, Type });
const published = (PrivatePort: number, PublicPort: number, IP = '0.0.0.0', Type = 'tcp'): ListedPort => ({ IP, PrivatePort, PublicPort, Type });

test.each([
  [[], ''],
  [[exposed(81), exposed(80), exposed(90), exposed(80, 'udp')], '80-81/tcp, 90/tcp, 80/udp'],
  [[published(80, 8080), published(80, 8080, '::')], '0.0.0.0:8080->80/tcp, [::]:8080->80/tcp'],
  [[published(81, 81), published(80, 80), exposed(82)], '0.0.0.0:80-81->80-81/tcp, 82/tcp'],
  [[published(80, 8080), exposed(90)], '90/tcp, 0.0.0.0:8080->80/tcp'],
])('%j', (ports, text) => {
  expect(portList(ports)).toBe(text);
});
