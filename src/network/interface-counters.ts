import { readFileSync } from 'node:fs';

/** What an interface has received and sent since it was made. */
export interface InterfaceCounters {
  readonly rxBytes: number;
  readonly rxPackets: number;
  readonly rxErrors: number;
  readonly rxDropped: number;
  readonly txBytes: number;
  readonly txPackets: number;
  readonly txErrors: number;
  readonly txDropped: number;
}

/** Of the interfaces of a process's network, without loopback, by name. Empty when it has just ended. */
export function readInterfaceCounters(pid: number): ReadonlyMap<string, InterfaceCounters> {
  try {
    return parseInterfaceCounters(readFileSync(`/proc/${pid}/net/dev`, 'latin1'));
  } catch {
    return new Map();
  }
}

/** proc_pid_net(5), `dev`: two lines of headings, then one an interface. */
export function parseInterfaceCounters(text: string): ReadonlyMap<string, InterfaceCounters> {
  const interfaces = new Map<string, InterfaceCounters>();
  for (const line of text.split('\n').slice(2)) {
    const [, name = '', values = ''] = /^\s*([^:]+):\s*(.*)$/.exec(line) ?? [];
    if (name === '' || name === 'lo') continue;
    const [rxBytes = 0, rxPackets = 0, rxErrors = 0, rxDropped = 0, , , , , txBytes = 0, txPackets = 0, txErrors = 0, txDropped = 0] = values
      .split(/\s+/)
      .map(Number);
    interfaces.set(name, { rxBytes, rxPackets, rxErrors, rxDropped, txBytes, txPackets, txErrors, txDropped });
  }
  return interfaces;
}
