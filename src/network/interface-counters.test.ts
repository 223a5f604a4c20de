import { expect, test } from 'bun:test';
import { parseInterfaceCounters, readInterfaceCounters } from './interface-counters.ts';

const text = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:     100       1    0    0    0     0          0         0      100       1    0    0    0     0       0          0
  eth0:   12345      67    8    9    0     0          0         0    54321      76    5    4    0     0       0          0
`;

test('the counters of what is not loopback', () => {
  const eth0 = { rxBytes: 12345, rxPackets: 67, rxErrors: 8, rxDropped: 9, txBytes: 54321, txPackets: 76, txErrors: 5, txDropped: 4 };
  expect([...parseInterfaceCounters(text)]).toEqual([['eth0', eth0]]);
  expect([...parseInterfaceCounters('')]).toEqual([]);
});

test('a process that is not there has no interfaces', () => {
  // The kernel gives no such pid out (PID_MAX_LIMIT).
  expect([...readInterfaceCounters(2 ** 22 + 1)]).toEqual([]);
});
