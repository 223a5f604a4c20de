/** What the kernel has killed in a task's cgroup because its memory ran out, as it becomes known. */
export class OomKills {
  #count = 0;
  #told = 0;
  #listener: (() => void) | undefined;

  get any(): boolean {
    return this.#count > 0;
  }

  note(): void {
    this.#count++;
    this.#tell();
  }

  /** Has the only listener called for each, also for those before. */
  listen(listener: () => void): void {
    this.#listener = listener;
    this.#tell();
  }

  #tell(): void {
    for (; this.#listener !== undefined && this.#told < this.#count; this.#told++) this.#listener();
  }
}
