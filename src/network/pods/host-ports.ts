import { rmSync } from 'node:fs';
import path from 'node:path';
import { StrakeError } from '../../base/index.ts';
import { netfilterOperation, parseIpv4, removeTable } from '../../kernel/netlink/index.ts';
import type { Op } from '../../kernel/program/index.ts';
import { readJsonDirectory, writeJsonFile } from '../json-files.ts';
import { everyAddress, hostPortTable, type PodHostPorts } from './host-port-table.ts';
import type { PodPortMapping } from './pod-network.ts';

export interface HostPortsOptions {
  /** Below the run directory; a file a pod that has ports. */
  readonly directory: string;
  /** Of the nftables table: its owner's alone. */
  readonly table: string;
  /** The interface behind which the pods are, and their network (CIDR). */
  readonly bridge: string;
  readonly subnet: () => string;
  readonly runProgram: (operations: readonly Op[]) => Promise<unknown>;
}

/**
 * Ports of the machine that lead to pods, by rules in a table of their own: from other machines, from this one (its loopback included) and from pods.
 * No process listens at them.
 */
export class HostPorts {
  private readonly options: HostPortsOptions;
  private readonly pods = new Map<string, PodHostPorts>();
  private queue: Promise<unknown> = Promise.resolve();

  constructor(options: HostPortsOptions) {
    this.options = options;
  }

  /** Loads what was kept, and puts its rules back. */
  async start(): Promise<void> {
    for (const pod of readJsonDirectory<PodHostPorts>(this.options.directory)) this.pods.set(pod.podId, pod);
    if (this.pods.size > 0) await this.apply();
  }

  /** Who has some. */
  holders(): readonly string[] {
    return [...this.pods.keys()];
  }

  /** FailedPrecondition for a port that another pod has. Mappings without a port of the machine (0) are none. */
  async open({ podId, address, ports }: PodHostPorts): Promise<void> {
    const wanted = ports.filter(({ hostPort }) => hostPort !== 0);
    if (wanted.length === 0) return;
    for (const port of wanted) this.check(podId, port);
    const pod = { podId, address, ports: wanted };
    this.pods.set(podId, pod);
    writeJsonFile(this.file(podId), pod);
    await this.apply();
  }

  /** Idempotent. */
  async close(podId: string): Promise<void> {
    const had = this.pods.delete(podId);
    if (had) await this.apply();
    rmSync(this.file(podId), { force: true });
  }

  private check(podId: string, port: PodPortMapping): void {
    const refuse = (message: string) => new StrakeError('InvalidArgument', message, { fields: { layer: 'network' } });
    for (const number of [port.hostPort, port.containerPort])
      if (!Number.isInteger(number) || number < 1 || number > 65_535) throw refuse(`invalid port ${number}: it is not in 1-65535`);
    if (port.hostIp !== '') parseIpv4(port.hostIp);
    const holder = [...this.pods.values()].find((pod) => pod.podId !== podId && pod.ports.some((other) => collide(other, port)));
    if (holder)
      throw new StrakeError('FailedPrecondition', `port ${port.hostPort}/${port.protocol} of the machine is pod ${holder.podId}'s`, {
        fields: { layer: 'network', remedy: 'stop that pod, or give this one another hostPort' },
      });
  }

  /** The rules of all pods in one transaction; the table goes with the last of them. */
  private apply(): Promise<void> {
    const { table, bridge, subnet, runProgram } = this.options;
    const result = this.queue.then(async () => {
      const pods = [...this.pods.values()];
      if (pods.length === 0) await runProgram([netfilterOperation(removeTable(table))]);
      else
        await runProgram([
          // What comes from the loopback goes to a pod over the bridge, under the bridge's address; without this the kernel takes it for a forgery.
          { op: 'write_file', side: 'host', path: `/proc/sys/net/ipv4/conf/${bridge}/route_localnet`, data: Buffer.from('1') },
          netfilterOperation(hostPortTable(table, { bridge, subnet: subnet(), pods })),
        ]);
    });
    this.queue = result.catch(() => {});
    return result;
  }

  private file(podId: string): string {
    return path.join(this.options.directory, `${podId}.json`);
  }
}

function collide(a: PodPortMapping, b: PodPortMapping): boolean {
  return a.protocol === b.protocol && a.hostPort === b.hostPort && (a.hostIp === b.hostIp || everyAddress(a.hostIp) || everyAddress(b.hostIp));
}
