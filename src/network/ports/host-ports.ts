import { rmSync } from 'node:fs';
import path from 'node:path';
import { Mutex, StrakeError } from '../../base/index.ts';
import { netfilterOperation, parseIpv4, removeTable } from '../../kernel/netlink/index.ts';
import type { Op } from '../../kernel/program/index.ts';
import { readJsonDirectory, writeJsonFile } from '../json-files.ts';
import { type HeldPorts, hostPortTable } from './host-port-table.ts';
import { type PortMapping, sameHostPort } from './port-mapping.ts';

export interface HostPortsOptions {
  /** Below the run directory; a file for each that has ports. */
  readonly directory: string;
  /** Of the nftables table: its owner's alone. */
  readonly table: string;
  /** Who has ports, for messages. */
  readonly holders: 'pod' | 'container';
  readonly runProgram: (operations: readonly Op[]) => Promise<unknown>;
}

const ignoreMissing = 1; // write_file's flag: the bridge may have gone

/**
 * Ports of the machine that lead to pods or containers, by rules in a table of their own: from other machines, from this one (its loopback included) and
 * from behind the bridges. No process needs to listen at them.
 */
export class HostPorts {
  private readonly options: HostPortsOptions;
  private readonly held = new Map<string, HeldPorts>();
  /** The bridges that let the machine's loopback through. */
  private readonly opened = new Set<string>();
  private readonly changes = new Mutex();

  constructor(options: HostPortsOptions) {
    this.options = options;
  }

  /** Loads what was kept, and puts its rules back. */
  async start(): Promise<void> {
    for (const one of readJsonDirectory<HeldPorts>(this.options.directory)) this.held.set(one.holder, one);
    await this.restore();
  }

  /** Puts the rules back. */
  async restore(): Promise<void> {
    if (this.held.size > 0) await this.apply();
  }

  /** Who has some, and which. */
  list(): readonly HeldPorts[] {
    return [...this.held.values()];
  }

  /** Who has a port that this one would take from it. */
  holderOf(port: PortMapping): string | undefined {
    return this.list().find(({ ports }) => ports.some((other) => sameHostPort(other, port)))?.holder;
  }

  /** FailedPrecondition for a port that another one has. Mappings without a port of the machine (0) are none. */
  async open(wanted: HeldPorts): Promise<void> {
    const ports = wanted.ports.filter(({ hostPort }) => hostPort !== 0);
    if (ports.length === 0) return;
    for (const port of ports) this.check(wanted.holder, port);
    const one = { ...wanted, ports };
    this.held.set(one.holder, one);
    writeJsonFile(this.file(one.holder), one);
    await this.apply();
  }

  /** Idempotent, and to be repeated when it fails. */
  async close(holder: string): Promise<void> {
    const one = this.held.get(holder);
    if (one === undefined) return;
    this.held.delete(holder);
    try {
      await this.apply();
    } catch (error) {
      this.held.set(holder, one);
      throw error;
    }
    rmSync(this.file(holder), { force: true });
  }

  private check(holder: string, port: PortMapping): void {
    const { holders } = this.options;
    const refuse = (message: string) => new StrakeError('InvalidArgument', message, { fields: { layer: 'network' } });
    for (const number of [port.hostPort, port.containerPort])
      if (!Number.isInteger(number) || number < 1 || number > 65_535) throw refuse(`invalid port ${number}: it is not in 1-65535`);
    if (port.hostIp !== '') parseIpv4(port.hostIp);
    const other = this.holderOf(port);
    if (other !== undefined && other !== holder)
      throw new StrakeError('FailedPrecondition', `port ${port.hostPort}/${port.protocol} of the machine is ${holders} ${other}'s`, {
        fields: { layer: 'network', remedy: `stop that ${holders}, or give this one another port of the machine` },
      });
  }

  /** The rules of all in one transaction; the table goes with the last of them. */
  private async apply(): Promise<void> {
    const { table, runProgram } = this.options;
    await this.changes.run(async () => {
      const all = this.list();
      const bridges = new Set(all.map(({ bridge }) => bridge));
      const closed = [...this.opened].filter((bridge) => !bridges.has(bridge));
      await runProgram([
        // What comes from the loopback goes over the bridge, under the bridge's address; without this the kernel takes it for a forgery.
        ...[...bridges].map((bridge) => throughLoopback(bridge, true)),
        // Before the rule that guards it goes.
        ...closed.map((bridge) => throughLoopback(bridge, false)),
        netfilterOperation(all.length === 0 ? removeTable(table) : hostPortTable(table, all)),
      ]);
      for (const bridge of bridges) this.opened.add(bridge);
      for (const bridge of closed) this.opened.delete(bridge);
    });
  }

  private file(holder: string): string {
    return path.join(this.options.directory, `${holder}.json`);
  }
}

function throughLoopback(bridge: string, on: boolean): Op {
  const file = `/proc/sys/net/ipv4/conf/${bridge}/route_localnet`;
  return { op: 'write_file', side: 'host', path: file, data: Buffer.from(on ? '1' : '0'), ...(on ? {} : { flags: ignoreMissing }) };
}
