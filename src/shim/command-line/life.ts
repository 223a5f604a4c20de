/** How long a shim without tasks stays for the next one. */
const lingerMs = 5_000;
/** Between `start` and the creation of its container. */
const reservationMs = 60_000;

/** When a shim that serves many containers may end. */
export class ShimLife {
  private readonly tasks: () => number;
  private readonly reservations = new Map<string, NodeJS.Timeout>();
  private readonly ending = Promise.withResolvers<void>();
  private linger: NodeJS.Timeout | undefined;
  private over = false;
  /** Resolves when it is to end. */
  readonly ended: Promise<void> = this.ending.promise;

  constructor(tasks: () => number) {
    this.tasks = tasks;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => this.end());
    process.on('SIGHUP', () => {});
  }

  started(): void {
    this.look();
  }

  /** False: it is about to end. */
  reserve(id: string): boolean {
    if (this.over) return false;
    clearTimeout(this.reservations.get(id));
    this.reservations.set(
      id,
      setTimeout(() => this.arrived(id), reservationMs),
    );
    this.look();
    return true;
  }

  /** The container of a reservation is made, or will not be. */
  arrived(id: string): void {
    clearTimeout(this.reservations.get(id));
    this.reservations.delete(id);
    this.look();
  }

  shutdown(now: boolean): void {
    if (now) this.end();
    else this.look();
  }

  /** Ends a while after the last task has gone, unless another one comes. */
  look(): void {
    clearTimeout(this.linger);
    if (this.over || this.reservations.size > 0 || this.tasks() > 0) return;
    this.linger = setTimeout(() => this.end(), lingerMs);
  }

  private end(): void {
    this.over = true;
    clearTimeout(this.linger);
    for (const timer of this.reservations.values()) clearTimeout(timer);
    this.ending.resolve();
  }
}
