import { createHmac, randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { compare } from 'bcryptjs';
import { StrakeError } from '../../base/index.ts';

/** A password that was right is taken again for so long without the work of bcrypt: clients send it with every request. */
const rememberedMs = 5 * 60_000;
const maxRemembered = 10_000;
/** A hash that fits no password: who is unknown takes as long to refuse as who is known. bcrypt of random bytes, cost 10. */
const nobodysHash = '$2b$10$abcdefghijklmnopqrstuuKQ0fGSpwX0nB1JdPZFfM4kVBqz8tHqW';

/** The users of an htpasswd file: bcrypt hashes alone (`htpasswd -B`), as with docker's registry. The file is read again when it changes. */
export class Passwords {
  readonly #file: string;
  readonly #nowMs: () => number;
  #hashes: { readonly version: string; readonly byUser: ReadonlyMap<string, string> } | undefined;
  readonly #key = randomBytes(32);
  readonly #remembered = new Map<string, number>();

  constructor(file: string, nowMs: () => number = () => performance.now()) {
    this.#file = file;
    this.#nowMs = nowMs;
  }

  /** Throws InvalidArgument for a file that is none. Called once at the start, so that a mistake does not show at the first login alone. */
  async load(): Promise<ReadonlyMap<string, string>> {
    const { mtimeMs, size, ino } = await stat(this.#file);
    const version = `${mtimeMs} ${size} ${ino}`;
    if (this.#hashes?.version === version) return this.#hashes.byUser;
    this.#hashes = { version, byUser: parse(await readFile(this.#file, 'utf8'), this.#file) };
    this.#remembered.clear();
    return this.#hashes.byUser;
  }

  async verify(user: string, password: string): Promise<boolean> {
    const hash = (await this.load()).get(user);
    const remembered = createHmac('sha256', this.#key).update(`${hash}\0${password}`).digest('base64');
    if ((this.#remembered.get(remembered) ?? 0) > this.#nowMs()) return true;
    if (!(await compare(password, hash ?? nobodysHash)) || hash === undefined) return false;
    if (this.#remembered.size >= maxRemembered) this.#remembered.clear();
    this.#remembered.set(remembered, this.#nowMs() + rememberedMs);
    return true;
  }
}

function parse(text: string, file: string): ReadonlyMap<string, string> {
  const byUser = new Map<string, string>();
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const match = /^([^:\s]+):(\$2[aby]\$\d\d\$[./A-Za-z0-9]{53})\s*$/.exec(line);
    if (match === null)
      throw new StrakeError('InvalidArgument', `line ${index + 1} of ${file} is not USER:HASH with a bcrypt hash`, {
        fields: { layer: 'registry', remedy: 'make it with htpasswd -B' },
      });
    byUser.set(match[1] ?? '', match[2] ?? '');
  }
  return byUser;
}
