import { slowness } from './slowness.ts';

const defaultTimeoutMs = 20_000 * slowness;

/**
 * A command on a pseudo-terminal, as a person at a keyboard runs it. `Bun.Terminal` is the reason for a Bun-only call:
 * Node has no pty, and the tests have no other dependency that has one.
 */
export interface PtySize {
  readonly cols: number;
  readonly rows: number;
}

export class Pty {
  readonly #process: Bun.Subprocess;
  readonly #terminal: Bun.Terminal;
  readonly #argv: readonly string[];
  readonly #watchers = new Set<() => void>();
  #screen = '';
  #exited = false;

  constructor(argv: readonly string[], size: PtySize = { cols: 80, rows: 24 }, env: Readonly<Record<string, string>> = {}) {
    this.#argv = argv;
    const decoder = new TextDecoder();
    this.#process = Bun.spawn([...argv], {
      env: { ...process.env, TERM: 'xterm', ...env },
      terminal: {
        ...size,
        data: (_terminal, data) => {
          this.#screen += decoder.decode(data, { stream: true });
          for (const watcher of this.#watchers) watcher();
        },
      },
    });
    this.#terminal = this.#process.terminal as Bun.Terminal;
    void this.#process.exited.then(() => {
      this.#exited = true;
      for (const watcher of this.#watchers) watcher();
    });
  }

  /** Everything written to the terminal so far, with its control sequences. */
  get screen(): string {
    return this.#screen;
  }

  type(text: string): void {
    this.#terminal.write(text);
  }

  resize(size: PtySize): void {
    this.#terminal.resize(size.cols, size.rows);
  }

  /** Resolves when the screen matches; rejects when the command ends first, or after the time. */
  async shows(pattern: RegExp, timeoutMs = defaultTimeoutMs): Promise<RegExpExecArray> {
    return await new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        this.#watchers.delete(check);
        act();
      };
      const check = (): void => {
        const found = pattern.exec(this.#screen);
        if (found) settle(() => resolve(found));
        else if (this.#exited) settle(() => reject(new Error(this.#story(`ended without ${pattern}`))));
      };
      const timer = setTimeout(() => settle(() => reject(new Error(this.#story(`does not show ${pattern} within ${timeoutMs} ms`)))), timeoutMs);
      this.#watchers.add(check);
      check();
    });
  }

  /** The exit code, once the command has ended; it is killed when that takes longer than the time. */
  async end(timeoutMs = defaultTimeoutMs): Promise<number> {
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), timeoutMs);
    try {
      return await this.#process.exited;
    } finally {
      clearTimeout(timer);
      this.#terminal.close();
    }
  }

  #story(problem: string): string {
    return `${this.#argv.join(' ')}: ${problem}\nscreen: ${JSON.stringify(this.#screen.slice(-2000))}`;
  }
}
