import { DirectLauncher, type FileSession, programFile } from '../../kernel/index.ts';

/** A local directory through strake-init, without any privilege but the caller's own: names of an archive stay in it, through whatever links it brings. */
export async function openLocalTree(directory: string, options: { readonly keepKinds?: boolean } = {}): Promise<FileSession> {
  const session = await new DirectLauncher({ initPath: programFile('strake-init') }).fileSession([{ op: 'files', side: 'host' }]);
  try {
    await session.enter(directory, options);
    return session;
  } catch (error) {
    session.close();
    throw error;
  }
}
