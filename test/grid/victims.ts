import { readdirSync, readFileSync } from 'node:fs';
import type { World } from '../lib/world.ts';
import type { Container } from './container.ts';
import type { Target } from './targets.ts';

/** The processes that hold a container: those that are there, and those that come, for it may be in the making. Pids are the machine's, so that nothing lies between the choice and the kill. */
export class Victims {
  readonly #world: World;
  readonly #container: Container;
  readonly #known: ReadonlySet<number>;
  readonly #shims: readonly number[];
  /** Its init and the parent of that; none while it is not made. */
  readonly #own: readonly number[];

  constructor(world: World, container: Container) {
    this.#world = world;
    this.#container = container;
    this.#known = new Set(pids());
    const inWorld = [...this.#known].filter((pid) => this.#isInWorld(pid));
    this.#shims = inWorld.filter((pid) => this.#isShim(pid));
    // NSpid: as this /proc has it, as the world has it, and so on.
    const init = inWorld.find((pid) => Number(field(pid, 'NSpid').split(/\s+/)[1]) === container.pid);
    this.#own = init === undefined ? [] : [init, Number(field(init, 'PPid'))];
  }

  /** Undefined when there is none at this moment. `random` is from 0 to 1. */
  pick(target: Exclude<Target, 'daemon'>, random: number): number | undefined {
    const all = (target === 'shim' ? this.#allShims() : target === 'monitor' ? this.#monitors() : this.#inits()).filter(isAlive);
    return all[Math.floor(random * all.length)];
  }

  /** Whether the container ends with the process, which was picked: it is of its init, not of an exec. */
  holdContainer(pid: number): boolean {
    return this.#own.length === 0 || this.#own.includes(pid);
  }

  #allShims(): readonly number[] {
    return [...this.#shims, ...this.#fresh().filter((pid) => this.#isShim(pid))];
  }

  #monitors(): readonly number[] {
    return [...this.#own.filter(isMonitor), ...this.#fresh().filter(isMonitor)];
  }

  #inits(): readonly number[] {
    return [...this.#own.slice(0, 1), ...this.#fresh().filter(isInit)];
  }

  #fresh(): readonly number[] {
    return pids().filter((pid) => !this.#known.has(pid) && this.#isInWorld(pid));
  }

  #isInWorld(pid: number): boolean {
    return read(pid, 'cgroup').includes(this.#world.cgroup);
  }

  /** One that serves: ours serves all containers, the others one each. */
  #isShim(pid: number): boolean {
    const words = read(pid, 'cmdline').split('\0');
    if (words.slice(0, 2).every((word) => !word.includes('containerd-shim'))) return false;
    if (this.#container.runtime.includes('strake')) return words.includes('serve');
    return words.includes(this.#container.id) && !words.includes('start') && !words.includes('delete');
  }
}

/** A zombie is dead. */
export function isAlive(pid: number): boolean {
  return /^[^ZX]/.test(field(pid, 'State'));
}

/** By its title: the init, which is its fork, has that too for a moment. */
function isMonitor(pid: number): boolean {
  const isTitled = (one: number) => read(one, 'cmdline').startsWith('strake-init: monitor ');
  return isTitled(pid) && !isTitled(Number(field(pid, 'PPid')));
}

/** In the making, or what it has become: a monitor's child, or what runc calls so. */
function isInit(pid: number): boolean {
  return isMonitor(Number(field(pid, 'PPid'))) || field(pid, 'Name') === 'runc:[2:INIT]';
}

function pids(): readonly number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

/** Empty for a process that has gone. */
function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

function field(pid: number, name: string): string {
  return new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(read(pid, 'status'))?.[1] ?? '';
}
