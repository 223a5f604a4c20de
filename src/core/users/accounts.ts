import { isCode, StrakeError } from '../../base/index.ts';
import type { FileReader, RootSource } from '../tasks/index.ts';
import { parseGroup, parsePasswd } from './account-files.ts';
import type { Accounts } from './resolve-user.ts';

const limitBytes = 10 << 20;
const paths = ['/etc/passwd', '/etc/group'] as const;
const cachedChains = 256;

/** Reads the accounts of root filesystems; those of an image's layers, which do not change, once. */
export class AccountReader<Source = RootSource> {
  private readonly files: FileReader<Source>;
  private readonly byChain = new Map<string, Promise<Accounts>>();

  constructor(files: FileReader<Source>) {
    this.files = files;
  }

  /** `chainId`: given when the root filesystem is still exactly that of these layers. */
  async read(source: Source, chainId?: string): Promise<Accounts> {
    if (chainId === undefined) return await this.readNow(source);
    const known = this.byChain.get(chainId);
    if (known !== undefined) return await known;
    const reading = this.readNow(source);
    this.byChain.set(chainId, reading);
    if (this.byChain.size > cachedChains) this.byChain.delete(this.byChain.keys().next().value ?? '');
    try {
      return await reading;
    } catch (error) {
      this.byChain.delete(chainId);
      throw error;
    }
  }

  private async readNow(source: Source): Promise<Accounts> {
    try {
      const [passwd, group] = await this.files.read(source, paths, limitBytes);
      return { users: parsePasswd(passwd?.toString('utf8') ?? ''), groups: parseGroup(group?.toString('utf8') ?? '') };
    } catch (cause) {
      if (isCode(cause, 'InvalidArgument') || isCode(cause, 'OutOfRange'))
        throw new StrakeError('InvalidArgument', `the image's account files cannot be read: ${(cause as Error).message}`, { cause });
      throw cause;
    }
  }
}
