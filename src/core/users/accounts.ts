import { isCode, StrakeError } from '../../base/index.ts';
import type { RootFiles, RootSource } from '../tasks/index.ts';
import { parseGroup, parsePasswd } from './account-files.ts';
import type { Accounts } from './resolve-user.ts';

const limitBytes = 10 << 20;
const paths = ['/etc/passwd', '/etc/group'] as const;
const cachedChains = 256;

/** Reads the accounts of root filesystems; those of an image's layers, which do not change, once. */
export class AccountReader {
  private readonly files: RootFiles;
  private readonly byChain = new Map<string, Promise<Accounts>>();

  constructor(files: RootFiles) {
    this.files = files;
  }

  /** `chainId`: given when the root filesystem is still exactly that of these layers. */
  async read(source: RootSource, chainId?: string): Promise<Accounts> {
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

  private async readNow(source: RootSource): Promise<Accounts> {
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
