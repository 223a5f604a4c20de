import { readFileSync } from 'node:fs';
import type { Machines } from './machines.ts';
import { busybox } from './machines.ts';
import type { CaseResult } from './measure.ts';
import { median } from './timer.ts';

/** Proportional set size in KiB: the process's private memory, and its share of what it shares (proc(5), smaps_rollup). */
export function pssKib(path: string): number {
  return Number(/^Pss:\s+(\d+) kB$/m.exec(readFileSync(path, 'utf8'))?.[1] ?? 0);
}

/** Memory of the one process per container that stays: ours with `count` idle containers, the peers' with fewer, as theirs are the same from the first. */
export async function measureMemory(machines: Machines, count: number, peerCount: number): Promise<CaseResult> {
  const { docker, podman, engine, world, peers } = machines;
  const idle = ['run', '-d', '--label', 'bench=idle', '--network', 'none', busybox, 'sleep', '100000'];
  const medians: Record<string, number> = {};
  const monitors = (program: RegExp): number[] => world.pids().filter((pid) => world.alive(pid) && program.test(world.proc(pid, 'cmdline')));
  const sample = (program: RegExp, known: ReadonlySet<number>): number =>
    median(
      monitors(program)
        .filter((pid) => !known.has(pid))
        .map((pid) => pssKib(world.procPath(pid, 'smaps_rollup'))),
    );

  if (engine) {
    const program = /strake-init/;
    const known = new Set(monitors(program));
    for (let index = 0; index < count; index += 1) await world.output([...engine.strake, ...idle]);
    medians['strake'] = sample(program, known);
    const ids = (await world.output([...engine.strake, 'ps', '-q', '--filter', 'label=bench=idle'])).trim().split('\n');
    await world.output([...engine.strake, 'rm', '-f', ...ids], { timeoutMs: 120_000 });
  }
  for (const [label, cli, program] of [
    ['docker', docker, /containerd-shim/],
    ['podman', podman, /conmon/],
  ] as const) {
    const known = new Set(monitors(program));
    for (let index = 0; index < peerCount; index += 1) await peers.output([...cli, ...idle]);
    medians[label] = sample(program, known);
    const ids = (await peers.output([...cli, 'ps', '-q', '--filter', 'label=bench=idle'])).trim().split('\n');
    await peers.output([...cli, 'rm', '-f', ...(label === 'podman' ? ['-t', '0'] : []), ...ids], { timeoutMs: 120_000 });
  }
  return { name: `memory of a container’s monitor, PSS (ours: ${count} idle containers, peers: ${peerCount})`, unit: 'KiB', rounds: count, medians };
}
